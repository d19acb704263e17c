import { keyFromSeed, random } from "@millrace/core"
import { trainBpe } from "@millrace/models"
import { Effect, Fiber } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"

/** Words of few letters, so that pairs repeat and runs of one letter overlap themselves. */
const words = fc.string({ unit: fc.constantFrom("a", "b", "é"), minLength: 1, maxLength: 12 })
const corpora = fc.array(words, { minLength: 3, maxLength: 30 })

/** The definition, without incremental counts: count all pairs anew, merge the most frequent one everywhere. */
const trainedSlowly = (texts: ReadonlyArray<string>, merges: number): ReadonlyArray<readonly [string, string]> => {
  // Texts of letters with single spaces between: each word takes the space before it.
  let rows = texts.flatMap((text) =>
    (text.match(/ ?[^ ]+/g) ?? []).map((word) => Array.from(Buffer.from(word, "utf8").toString("latin1"))),
  )
  const found: Array<readonly [string, string]> = []
  while (found.length < merges) {
    const counts = new Map<string, number>()
    for (const row of rows) {
      row.slice(1).forEach((right, i) => {
        const pair = JSON.stringify([row[i], right])
        counts.set(pair, (counts.get(pair) ?? 0) + 1)
      })
    }
    const [best] = [...counts]
      .filter(([, count]) => count >= 2)
      .map(([pair, count]) => ({ pair: JSON.parse(pair) as [string, string], count }))
      .sort((p, q) => {
        if (p.count !== q.count) return q.count - p.count
        if (p.pair[0] !== q.pair[0]) return p.pair[0] < q.pair[0] ? -1 : 1
        return p.pair[1] < q.pair[1] ? -1 : 1
      })
    if (best === undefined) break
    const [left, right] = best.pair
    rows = rows.map((row) => {
      const merged: Array<string> = []
      for (let i = 0; i < row.length; i++) {
        const together = row[i] === left && row[i + 1] === right
        merged.push(together ? left + right : row[i]!)
        if (together) i++
      }
      return merged
    })
    found.push([left, right])
  }
  return found
}

const merged = (texts: ReadonlyArray<string>, vocab: number) =>
  Effect.runSync(
    trainBpe(texts, { vocab }).pipe(
      Effect.map(({ vocabulary: { merges, tokens } }) =>
        merges.map((pair) => pair.map((id) => Buffer.from(tokens[id]!).toString("latin1"))),
      ),
      Effect.catchTag("BadLength", () => Effect.succeed("too short" as const)),
    ),
  )

test("training finds the merges of the definition, in order", () => {
  let compared = 0
  fc.assert(
    fc.property(corpora, fc.nat(12), (corpus, wanted) => {
      const text = corpus.join(" ")
      const slow = trainedSlowly([text], wanted)
      const fast = merged([text], 257 + wanted)
      expect(fast).toEqual(slow.length < wanted ? "too short" : slow)
      if (slow.length === wanted && wanted > 3) compared++
    }),
    { numRuns: 300 },
  )
  expect(compared).toBeGreaterThan(50)
})

test("neither the order of texts nor where they are cut between words changes the vocabulary", () => {
  fc.assert(
    fc.property(corpora, fc.nat(), (corpus, seed) => {
      const cut = corpus.map((word) => ` ${word}`)
      const other = random.shuffled(keyFromSeed(seed), cut)
      expect(merged(other, 262)).toEqual(merged(cut, 262))
      expect(merged([other.join("")], 262)).toEqual(merged(cut, 262))
    }),
  )
})

test("the vocabulary is the bytes, the merges, then the special tokens", () => {
  const special = ["<|endoftext|>", "<|pad|>"]
  const { size, endOfText, vocabulary } = Effect.runSync(trainBpe(["aaaa bbbb aaaa bbbb"], { vocab: 262, special }))
  expect([size, endOfText, vocabulary.special]).toEqual([262, 260, { "<|endoftext|>": 260, "<|pad|>": 261 }])
  expect(vocabulary.merges).toHaveLength(4)
  expect(new Set(vocabulary.tokens.map((bytes) => bytes.join())).size).toBe(262)
})

test("training lets other work run between its merges, and can be interrupted", async () => {
  const { data } = random.integers(keyFromSeed("corpus"), [600_000], 0, 27)
  const text = Array.from(data, (i) => " abcdefghijklmnopqrstuvwxyz"[i]).join("")
  const training = Effect.runFork(trainBpe([text], { vocab: 4096 }))
  await new Promise((resolve) => setTimeout(resolve, 1))
  expect(training.pollUnsafe()).toBeUndefined() // still at work: the timer came in between
  const exit = await Effect.runPromise(Fiber.interrupt(training).pipe(Effect.andThen(Fiber.await(training))))
  expect(exit._tag).toBe("Failure")
})

const failure = (texts: ReadonlyArray<string>, vocab: number, special?: ReadonlyArray<string>) =>
  Effect.runSync(Effect.flip(trainBpe(texts, special === undefined ? { vocab } : { vocab, special })))

test.each([
  ["fewer tokens than bytes and special tokens", ["ab"], 256, undefined, "BadConfig", "an integer from 257"],
  ["a broken number of tokens", ["ab"], 300.5, undefined, "BadConfig", "an integer from 257"],
  ["no end of text", ["ab"], 300, ["<|pad|>"], "BadConfig", "<|endoftext|> among them"],
  ["a special token of letters", ["ab"], 300, ["<|endoftext|>", "end"], "BadConfig", "texts such as <|name|>"],
  ["a special token of signs", ["ab"], 300, ["<|endoftext|>", "<>"], "BadConfig", "texts such as <|name|>"],
  ["one special token twice", ["ab"], 300, ["<|endoftext|>", "<|endoftext|>"], "BadConfig", "distinct texts"],
  ["no text", [], 300, undefined, "BadLength", "43 pairs"],
  ["empty texts", ["", ""], 257, undefined, "BadLength", "0 pairs"],
  ["too little text", ["abab"], 300, undefined, "BadLength", "43 pairs that occur at least twice"],
  [
    "a word of millions of letters",
    ["😀".repeat(8_000_000)],
    300,
    undefined,
    "BadLength",
    "words of at most some millions",
  ],
] as const)("%s is refused with a typed error", (_, texts, vocab, special, tag, expected) => {
  const error = failure(texts, vocab, special)
  expect(error._tag).toBe(tag)
  expect(error.expected).toContain(expected)
})

test("too little text says how large a vocabulary it gives", () => {
  expect(failure(["abab abab"], 300).message).toMatchInlineSnapshot(`
    "BadLength in trainBpe > texts
      expected  texts with 43 pairs that occur at least twice
      received  2 distinct words, which give 2
      fix       give more text, or a vocabulary of 259"
  `)
})
