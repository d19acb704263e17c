import { keyFromSeed, split } from "@millrace/core"
import { clipPixels } from "@millrace/models"
import { type AugmentConfig, warpOf, withDetail, writeAugmented } from "@millrace/pipelines"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"
import { shapeImages } from "./images.js"

const size = 16
const key = keyFromSeed(5)
const [image] = await Effect.runPromise(shapeImages(size, 2).train.read([7]))
const augmented = (config: AugmentConfig, which = key, pixels = image!.pixels): Float32Array => {
  const out = new Float32Array(size * size * 3)
  writeAugmented(config, pixels, size, which, out, 0)
  return out
}
const seeds = fc.integer({ min: 0 })

test("what is asked for beside changes nothing of what the other changes draw", () => {
  const others = { shift: 0.1, turn: 20, brightness: 0.2, hue: 30 }
  fc.assert(
    fc.property(seeds, (seed) => {
      const which = split(key, seed)
      const plain = augmented(others, which)
      expect(augmented({ ...others, warp: 0, cover: 0 }, which)).toEqual(plain)
      for (const [i, value] of augmented({ ...others, detail: 0 }, which).entries())
        expect(value).toBeCloseTo(plain[i]!, 4)
    }),
    { numRuns: 20 },
  )
})

test("a warp moves no place further than asked for, neighbours alike, and no two keys alike", () => {
  fc.assert(
    fc.property(seeds, fc.double({ min: 0.1, max: 4, noNaN: true }), (seed, most) => {
      const moves = warpOf(split(key, seed), size, most)
      for (const each of moves) {
        expect(Math.max(...each.map(Math.abs))).toBeLessThanOrEqual(most * (1 + 1e-6))
        // Between two knots a move changes by 2 · most at most, over 5 places.
        for (let i = 0; i < each.length - 1; i++) {
          if (i % size !== size - 1)
            expect(Math.abs(each[i + 1]! - each[i]!)).toBeLessThanOrEqual((2 * most) / 5 + 1e-6)
        }
      }
      expect(moves[0]).not.toEqual(moves[1])
      expect(warpOf(split(key, seed + 1), size, most)).not.toEqual(moves)
    }),
    { numRuns: 20 },
  )
})

test("a warped image differs from the image, and where the image is flat it stays flat", () => {
  expect(augmented({ warp: 0.1 })).not.toEqual(augmented({ warp: 0 }))
  const flat = new Uint8Array(size * size * 3).fill(90)
  const [value] = augmented({}, key, flat)
  for (const [i, each] of augmented({ warp: 0.2, detail: 1 }, key, flat).entries()) {
    if (i % 3 === 0) expect(each).toBeCloseTo(value!, 4)
  }
})

test("an image without its detail is the mean of 3 × 3 places, and detail is linear in its amount", () => {
  const { pixels } = image!
  const [none, once, twice] = [0, 1, 2].map((amount) => withDetail(pixels, size, amount)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  const at = (y: number, x: number, c: number): number => {
    const inside = (place: number) => Math.max(0, Math.min(size - 1, place))
    return pixels[(inside(y) * size + inside(x)) * 3 + c]!
  }
  for (let i = 0; i < pixels.length; i++) {
    const [y, x, c] = [Math.floor(i / 3 / size), Math.floor(i / 3) % size, i % 3]
    let mean = 0
    for (const dy of [-1, 0, 1]) for (const dx of [-1, 0, 1]) mean += at(y + dy, x + dx, c) / 9
    expect(none[i]).toBeCloseTo(mean, 3)
    expect(once[i]).toBeCloseTo(pixels[i]!, 3)
    expect(twice[i]).toBeCloseTo(2 * pixels[i]! - mean, 3)
  }
})

test("a cover hides one rectangle no larger than asked for behind the mean colour, and leaves the rest", () => {
  const white = new Uint8Array(size * size * 3).fill(255)
  const shown = clipPixels.mean.map((mean, c) => (1 - mean) / clipPixels.std[c]!)
  let covered = 0
  fc.assert(
    fc.property(seeds, fc.double({ min: 0, max: 1, noNaN: true }), (seed, most) => {
      const out = augmented({ cover: most }, split(key, seed), white)
      const hidden = Array.from({ length: size * size }, (_, place) => place).filter((place) => out[place * 3] === 0)
      for (let place = 0; place < size * size; place++) {
        const hides = hidden.includes(place)
        for (let c = 0; c < 3; c++) expect(out[place * 3 + c]).toBeCloseTo(hides ? 0 : shown[c]!, 4)
      }
      const [rows, columns] = [
        new Set(hidden.map((place) => Math.floor(place / size))),
        new Set(hidden.map((place) => place % size)),
      ]
      expect(hidden).toHaveLength(rows.size * columns.size)
      expect(Math.max(rows.size, columns.size)).toBeLessThanOrEqual(Math.round(most * size))
      covered += hidden.length
    }),
    { numRuns: 50 },
  )
  expect(covered).toBeGreaterThan(0)
})
