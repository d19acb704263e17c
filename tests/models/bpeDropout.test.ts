import { BadConfig, keyFromSeed, split } from "@millrace/core"
import { type Tokenizer, trainBpe } from "@millrace/models"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"

const text = "the other mother gathered the feathers there; neither bother nor rather the weather. ".repeat(4)
const bpe: Tokenizer = Effect.runSync(trainBpe([text], { vocab: 285 }))
const key = keyFromSeed(3)
const encode = (of: string, rate: number, seed = 3): ReadonlyArray<number> => [
  ...bpe.encode(of, { dropout: { rate, key: keyFromSeed(seed) } }),
]
const texts = fc.oneof(
  fc.constantFrom(text.slice(0, 80), "mother", "the weather"),
  fc.string({ unit: "binary", maxLength: 30 }),
)

test("a text that was split at random is still that text", () => {
  fc.assert(
    fc.property(texts, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(), (of, rate, seed) => {
      expect(bpe.decode(encode(of, rate, seed))).toBe(bpe.decode(bpe.encode(of)))
    }),
  )
})

test("a rate of 0 changes nothing, and one of 1 leaves bytes", () => {
  fc.assert(
    fc.property(texts, (of) => {
      expect(encode(of, 0)).toEqual([...bpe.encode(of)])
      expect(encode(of, 1)).toHaveLength(new TextEncoder().encode(of).length)
    }),
  )
})

test("one key splits a text in one way, other keys in others, and encoding without dropout is not touched by it", () => {
  const plain = [...bpe.encode(text)]
  expect(encode(text, 0.3)).toEqual(encode(text, 0.3))
  expect(encode(text, 0.3, 4)).not.toEqual(encode(text, 0.3))
  expect([...bpe.encode(text)]).toEqual(plain)
})

test("more dropout makes more tokens", () => {
  const counts = [0, 0.1, 0.5, 0.9, 1].map((rate) => encode(text, rate).length)
  expect(counts.toSorted((a, b) => a - b)).toEqual(counts)
  expect(new Set(counts).size).toBe(5)
})

/**
 * The probability of each way to split a word: at each merge the candidates are gone through from the first to merge to
 * the last, each left out with the rate; where all are, the word is done.
 */
const distribution = ({ vocabulary }: Tokenizer, word: string, rate: number): Map<string, number> => {
  const name = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
  const ranks = new Map(
    vocabulary.merges.map(([l, r], rank) => [[l, r].map((id) => name(vocabulary.tokens[id]!)).join("|"), rank]),
  )
  const ways = new Map<string, number>()
  const go = (parts: ReadonlyArray<string>, p: number): void => {
    const candidates = parts
      .slice(1)
      .flatMap((right, i) => {
        const rank = ranks.get(`${parts[i]}|${right}`)
        return rank === undefined ? [] : [{ i, rank }]
      })
      .sort((a, b) => a.rank - b.rank || a.i - b.i)
    candidates.forEach(({ i }, before) => {
      go([...parts.slice(0, i), parts[i]! + parts[i + 1]!, ...parts.slice(i + 2)], p * rate ** before * (1 - rate))
    })
    const done = parts.join("|")
    ways.set(done, (ways.get(done) ?? 0) + p * rate ** candidates.length)
  }
  go([...word], 1)
  return ways
}

test.each([
  ["mother", 0.3],
  ["the", 0.5],
])("the ways to split %s at a rate of %d have the probabilities of the algorithm", (word, rate) => {
  const ways = distribution(bpe, word, rate)
  expect([...ways.values()].reduce((a, b) => a + b, 0)).toBeCloseTo(1, 10)
  expect(ways.size).toBeGreaterThan(2)
  const n = 20_000
  const counts = new Map<string, number>()
  for (let i = 0; i < n; i++) {
    const tokens = bpe.encode(word, { dropout: { rate, key: split(key, i) } })
    const way = Array.from(tokens, (token) => bpe.decode([token])).join("|")
    counts.set(way, (counts.get(way) ?? 0) + 1)
  }
  for (const way of counts.keys()) expect(ways.has(way), way).toBe(true)
  // Rare ways count as one.
  const common = [...ways].filter(([, p]) => p * n >= 10)
  const rare = 1 - common.reduce((sum, [, p]) => sum + p, 0)
  const cells = common.map(([way, p]) => [counts.get(way) ?? 0, p * n] as const)
  if (rare * n >= 10) cells.push([n - cells.reduce((sum, [seen]) => sum + seen, 0), rare * n])
  const chi = cells.reduce((sum, [seen, expected]) => sum + (seen - expected) ** 2 / expected, 0)
  const freedom = cells.length - 1
  // Six standard deviations of chi-square; the key is fixed.
  expect(chi).toBeLessThan(freedom + 6 * Math.sqrt(2 * freedom))
})

test("a long word does not take long", () => {
  const started = performance.now()
  const word = "the".repeat(30_000)
  expect(bpe.decode(encode(word, 0.1))).toBe(word)
  expect(performance.now() - started).toBeLessThan(5000)
})

test.each([-0.1, 1.1, Number.NaN])("a rate of %d is refused", (rate) => {
  expect(() => encode("the", rate)).toThrow(BadConfig)
})
