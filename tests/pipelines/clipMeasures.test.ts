import { keyFromSeed, random, split } from "@millrace/core"
import { ensembleOf, type Features, measureSet, nearest, pixelRanks, ranksOf, share } from "@millrace/pipelines"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"
import { shapeImages } from "./images.js"

const unit = (n: number, joint: number, seed: number): Features => {
  const { data } = random.normal(split(keyFromSeed(seed), n), [n, joint])
  for (let i = 0; i < n; i++) {
    const row = data.subarray(i * joint, (i + 1) * joint)
    const length = Math.hypot(...row)
    for (let j = 0; j < joint; j++) row[j]! /= length
  }
  return { joint, data }
}

test("the rank of an own key is the number of keys that a plain loop finds nearer", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 2, max: 6 }), fc.nat(), (n, joint, seed) => {
      const [queries, keys] = [unit(n, joint, seed), unit(n + 3, joint, seed + 1)]
      const own = Array.from({ length: n }, (_, i) => (i * 5) % (n + 3))
      const dot = (q: number, k: number): number => {
        let sum = 0
        for (let j = 0; j < joint; j++) sum += queries.data[q * joint + j]! * keys.data[k * joint + j]!
        return Math.fround(sum)
      }
      const expected = own.map((key, q) => {
        let nearer = 0
        for (let k = 0; k < n + 3; k++) if (dot(q, k) > dot(q, key)) nearer++
        return nearer
      })
      expect(ranksOf(queries, keys, own)).toEqual(expected)
    }),
  )
})

test("features that are all the same are no success: each own key is the last", () => {
  const same = { joint: 2, data: Float32Array.from({ length: 22 }, () => Math.SQRT1_2) }
  expect(ranksOf(same, same, [0, 3, 10])).toEqual([10, 10, 10])
})

test("the nearest are sorted, the first of equal ones first, and a larger k extends a smaller one", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 20 }), (values) => {
      const scores = Float32Array.from(values)
      const all = nearest(scores, scores.length)
      expect(all.map(({ score }) => score)).toEqual([...scores].sort((a, b) => b - a))
      for (let i = 1; i < all.length; i++) {
        if (all[i]!.score === all[i - 1]!.score) expect(all[i]!.row).toBeGreaterThan(all[i - 1]!.row)
      }
      expect(nearest(scores, 3)).toEqual(all.slice(0, 3))
    }),
  )
})

test("a concept's place by pixels is the number of concepts that a plain loop finds nearer, equal ones half, up to the most", () => {
  const few = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 100, maxLength: 100 })
  const shown = fc.record({ name: fc.constantFrom("a", "b", "c", "d"), pixels: few.map((x) => Uint8Array.from(x)) })
  const seen = fc.array(shown, { minLength: 0, maxLength: 8 })
  fc.assert(
    fc.property(
      seen,
      fc.array(shown, { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 1, max: 4 }),
      (more, own, most) => {
        const names = ["a", "b", "c", "d"]
        // The last is the second again, in another concept: equally near to all.
        const all = [
          ...more,
          ...own.map(({ pixels }, i) => ({ name: names[i]!, pixels: i === 3 ? own[1]!.pixels : pixels })),
        ]
        const apart = (a: Uint8Array, b: Uint8Array) => a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0)
        const expected = own.map(({ name, pixels }) => {
          const near = (which: string) =>
            Math.min(...all.filter((each) => each.name === which).map((each) => apart(pixels, each.pixels)))
          const others = names.filter((which) => which !== name)
          const nearer = others.filter((which) => near(which) < near(name)).length
          const equal = others.filter((which) => near(which) === near(name)).length
          return nearer >= most ? most : Math.min(most, nearer + equal / 2)
        })
        expect(pixelRanks(own, all, most)).toEqual(expected)
      },
    ),
  )
})

test("an image that has been seen is found by its pixels before all others, another concept's copy of it counts half", () => {
  const at = (fill: number) => new Uint8Array(300).fill(fill)
  const seen = [0, 50, 51, 52].map((fill) => ({ name: `${fill}`, pixels: at(fill) }))
  expect(pixelRanks(seen, seen, 5)).toEqual([0, 0, 0, 0])
  expect(pixelRanks([{ name: "0", pixels: at(49) }], seen, 5)).toEqual([3])
  expect(pixelRanks(seen.slice(0, 1), [...seen, { name: "copy", pixels: at(0) }], 5)).toEqual([0.5])
})

test("an ensemble has length 1, is the feature itself for one prompt, and does not depend on the prompts' order", () => {
  const [a, b, c] = [unit(5, 4, 1), unit(5, 4, 2), unit(5, 4, 3)]
  for (const [i, value] of ensembleOf([a]).data.entries()) expect(value).toBeCloseTo(a.data[i]!, 6)
  const [forwards, backwards] = [ensembleOf([a, b, c]).data, ensembleOf([c, b, a]).data]
  for (const [i, value] of forwards.entries()) expect(backwards[i]).toBeCloseTo(value, 6)
  for (let i = 0; i < 5; i++) expect(Math.hypot(...forwards.subarray(i * 4, i * 4 + 4))).toBeCloseTo(1, 6)
})

test("an interval holds its share, lies within 0 and 1, and mirrors that of the failures", () => {
  const n = fc.integer({ min: 1, max: 500 })
  fc.assert(
    fc.property(n, fc.double({ min: 0, max: 1, noNaN: true }), (count, part) => {
      const hits = Math.round(part * count)
      const { mean, low, high } = share(hits, count)
      expect(low >= 0 && low <= mean + 1e-12 && mean <= high + 1e-12 && high <= 1).toBe(true)
      const other = share(count - hits, count)
      expect(other.low).toBeCloseTo(1 - high, 9)
    }),
  )
})

test("of 2,000 draws the interval at 95 % holds the true share about 95 times in 100", () => {
  for (const truth of [0.02, 0.3]) {
    const held = Array.from({ length: 2000 }, (_, i) => {
      const draws = random.bernoulli(split(keyFromSeed(8), i), [200], truth).data
      const { low, high } = share(Array.from(draws).filter((x) => x === 1).length, 200)
      return low <= truth && truth <= high ? 1 : 0
    })
    expect(held.filter((x) => x === 1).length / 2000).toBeGreaterThan(0.93)
  }
})

test("an embedder that knows every image is right in all measures; one that knows nothing is as good as chance", async () => {
  const images = shapeImages(8, 2)
  const names = images.shifted!.classes
  const oneHot = (i: number): ReadonlyArray<number> => names.map((_, j) => (i === j ? 1 : 0))
  const shown = await Effect.runPromise(
    images.shifted!.read(Array.from({ length: images.shifted!.count }, (_, i) => i)),
  )
  const classOf = new Map(shown.map((image) => [image.pixels.join(), image.class!]))
  const knowing = {
    joint: names.length,
    images: (all: ReadonlyArray<Uint8Array>) =>
      Effect.succeed(Float32Array.from(all.flatMap((pixels) => oneHot(classOf.get(pixels.join())!)))),
    texts: (all: ReadonlyArray<string>) =>
      Effect.succeed(Float32Array.from(all.flatMap((text) => oneHot(names.findIndex((name) => text.endsWith(name)))))),
  }
  const one = { ...images.shifted!, count: names.length }
  const { measures } = await Effect.runPromise(measureSet(knowing, one, 1000, ["a {}", "the {}"]))
  expect(measures).toHaveLength(6)
  for (const { share, among } of measures) expect([share.mean, among]).toEqual([1, names.length])
  const blind = {
    joint: 8,
    images: (all: ReadonlyArray<Uint8Array>) => Effect.succeed(unit(all.length, 8, 1).data),
    texts: (all: ReadonlyArray<string>) => Effect.succeed(unit(all.length, 8, 2).data),
  }
  const guessed = await Effect.runPromise(measureSet(blind, images.shifted!, 1000, ["a {}"]))
  for (const { share, chance } of guessed.measures) expect(share.low <= chance && chance <= share.high).toBe(true)
})
