import { graph, keyFromSeed, random, runEvents, runGraph, split } from "@millrace/core"
import { afinn } from "@millrace/examples/data/afinn"
import { trainBpe } from "@millrace/models"
import {
  epochRows,
  interval,
  type Labeler,
  lexiconScore,
  pairAccuracy,
  rowsOf,
  sentences,
  tokenStream,
  windowBatch,
} from "@millrace/pipelines"
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { noEngine } from "../core/run/stages.js"
import { textOf } from "./corpus.js"

const seeds = fc.integer({ min: 0, max: 2 ** 31 })
const tokenizer = await Effect.runPromise(
  trainBpe(
    textOf(2).map(({ text }) => text),
    { vocab: 300 },
  ),
)

describe("sentences", () => {
  const bare = (text: string): string => text.replace(/\s+/g, "")
  const prose = fc
    .array(
      fc.oneof(
        fc.constantFrom(". ", "! ", "?\n\n", ".” ", " Mr. ", "J. ", "The ", "a", " ", "“We "),
        fc.string({ unit: "binary" }),
      ),
    )
    .map((parts) => parts.join(""))

  test("sentences joined back lose nothing but white space, of any text", () => {
    fc.assert(
      fc.property(prose, (text) => {
        const found = sentences(text)
        expect(bare(found.join(""))).toBe(bare(text))
        for (const one of found) expect(one).toBe(one.trim())
        expect(found).not.toContain("")
      }),
    )
  })

  test("no sentence is cut in two by a second pass", () => {
    fc.assert(
      fc.property(prose, (text) => {
        for (const one of sentences(text)) expect(sentences(one)).toEqual([one])
      }),
    )
  })

  test("a title or an initial ends no sentence; a question, a quotation and a paragraph do", () => {
    expect(
      sentences(
        "Mr. Speaker, Gen. J. Smith spoke. “Is it so?” It was!\n\nThe 3.5 million of St. Louis (and No. 4) agree",
      ),
    ).toEqual([
      "Mr. Speaker, Gen. J. Smith spoke.",
      "“Is it so?”",
      "It was!",
      "The 3.5 million of St. Louis (and No. 4) agree",
    ])
    expect(sentences(" \n ")).toEqual([])
  })
})

describe("lexiconScore", () => {
  const valences = {
    good: 3,
    bad: -3,
    "not good": -2,
    "not good enough": -1,
    enough: 1,
    "cover-up": -3,
    "don't like": -2,
  }
  const score = lexiconScore(valences)
  const words = fc.constantFrom(
    "good",
    "bad",
    "not",
    "enough",
    "cover-up",
    "don't",
    "like",
    "the",
    "mill",
    "Not",
    "GOOD",
  )
  const text = fc.array(words, { maxLength: 8 }).map((all) => all.join(" "))

  test("the score of two sentences is the sum of theirs, although the last word of one and the first of the next make a phrase", () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(score(`${a}. ${b}`)).toBe(score(a) + score(b))
      }),
    )
    expect(score("It is not. Good men know.")).toBe(3)
  })

  test("upper case and typographic apostrophes change no score", () => {
    fc.assert(
      fc.property(text, (one) => {
        expect(score(one.toUpperCase())).toBe(score(one))
        expect(score(one.replaceAll("'", "’"))).toBe(score(one))
      }),
    )
  })

  test("of phrases that begin at one word the longest counts, and its words count no more", () => {
    expect(score("good")).toBe(3)
    expect(score("not good")).toBe(-2)
    expect(score("not good enough")).toBe(-1)
    expect(score("good enough")).toBe(4)
    expect(score("i don't like a cover-up")).toBe(-5)
  })

  test("quotes and dashes around a word hide it not, and a word within another counts not", () => {
    expect(score("a 'good' mill -- good--and good")).toBe(9)
    expect(score("goodness, badly")).toBe(0)
  })

  test("every entry of AFINN-111 alone scores its own valence", async () => {
    const only = graph("afinn", {}).node("labeler", afinn({}), {}).output("labeler")
    const options = { run: "afinn", graphHash: "", key: keyFromSeed(1), events: runEvents() }
    const { outputs } = await Effect.runPromise(runGraph(only, options).pipe(noEngine))
    const { data, score } = outputs.labeler as Labeler
    const entries = Object.entries(data)
    expect(entries).toHaveLength(2477)
    expect(entries.filter(([word, valence]) => score(word) !== valence)).toEqual([])
  })
})

describe("the order of rows", () => {
  test("every epoch meets each row once, whatever the batch", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 12 }), (seed, count, batch) => {
        const key = keyFromSeed(seed)
        const steps = Array.from({ length: Math.ceil((3 * count) / batch) }, (_, step) =>
          epochRows(count, batch, key, step),
        )
        expect(steps.every(({ length }) => length === batch)).toBe(true)
        const all = steps.flat()
        for (let epoch = 0; epoch < 3; epoch++) {
          const rows = all.slice(epoch * count, (epoch + 1) * count).sort((a, b) => a - b)
          expect(rows).toEqual(Array.from({ length: count }, (_, i) => i))
        }
      }),
    )
  })

  test("a step's rows depend on key and step alone, and another key or epoch gives another order", () => {
    const key = keyFromSeed(1)
    const later = epochRows(64, 16, key, 5)
    expect([0, 1, 2, 3, 4, 5].map((step) => epochRows(64, 16, key, step)).at(-1)).toEqual(later)
    expect(epochRows(64, 64, key, 0)).not.toEqual(epochRows(64, 64, key, 1))
    expect(epochRows(64, 64, key, 0)).not.toEqual(epochRows(64, 64, keyFromSeed(2), 0))
  })
})

describe("windows", () => {
  test("a stream is every document's tokens in order, each ended by end-of-text, and decodes to the documents", async () => {
    const documents = textOf(3)
    const stream = await Effect.runPromise(tokenStream(documents, tokenizer))
    const ends = [...stream].flatMap((token, i) => (token === tokenizer.endOfText ? [i] : []))
    expect(ends).toHaveLength(3)
    expect(ends.at(-1)).toBe(stream.length - 1)
    expect(
      documents.map((_, i) => tokenizer.decode(stream.subarray(i === 0 ? 0 : ends[i - 1]! + 1, ends[i]!))),
    ).toEqual(documents.map(({ text }) => text))
    expect(await Effect.runPromise(tokenStream([], tokenizer))).toHaveLength(0)
  })

  test("every window is a piece of the stream, the first and the last place included, and depends on key and step alone", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 9 }), fc.nat(6), fc.nat(50), (seed, window, more, step) => {
        const stream = Int32Array.from({ length: window + more }, (_, i) => 100 + i)
        const { tokens } = windowBatch(stream, 8, window, keyFromSeed(seed), step)
        expect(tokens!.shape).toEqual([8, window])
        for (let row = 0; row < 8; row++) {
          const start = tokens!.data[row * window]! - 100
          expect([...tokens!.data.subarray(row * window, (row + 1) * window)]).toEqual([
            ...stream.subarray(start, start + window),
          ])
        }
        expect(windowBatch(stream, 8, window, keyFromSeed(seed), step).tokens).toEqual(tokens)
      }),
    )
    const starts = new Set(
      Array.from({ length: 40 }, (_, step) => [
        ...windowBatch(Int32Array.of(0, 1, 2, 3), 4, 2, keyFromSeed(1), step).tokens!.data,
      ]).flatMap((data) => data.filter((_, i) => i % 2 === 0)),
    )
    expect([...starts].sort()).toEqual([0, 1, 2])
  })

  test("windows start everywhere alike: no start is met half or twice as often as another", () => {
    const counts = new Array<number>(10).fill(0)
    const stream = Int32Array.from({ length: 12 }, (_, i) => i)
    for (let step = 0; step < 200; step++) {
      const { tokens } = windowBatch(stream, 16, 3, split(keyFromSeed(9), "windows"), step)
      for (let row = 0; row < 16; row++) counts[tokens!.data[row * 3]!]!++
    }
    expect(Math.min(...counts)).toBeGreaterThan(160)
    expect(Math.max(...counts)).toBeLessThan(640)
  })
})

describe("rows", () => {
  const part = fc.array(fc.nat(90), { minLength: 1, maxLength: 5 })
  test("rows hold prompt, answer and padding, and their masks say which is which", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(part, part), { maxLength: 4 }), (pairs) => {
        const given = pairs.map(([prompt, answer]) => ({
          prompt: Int32Array.from(prompt),
          answer: Int32Array.from(answer),
        }))
        const [batch, width, padding] = [5, 10, 99]
        const { tokens, mask, answerMask, lengths } = rowsOf(given, batch, width, padding)
        for (let row = 0; row < batch; row++) {
          const [prompt = [], answer = []] = pairs[row] ?? []
          const real = prompt.length + answer.length
          const at = (data: ArrayLike<number>) => Array.from(data).slice(row * width, (row + 1) * width)
          const filled = [...prompt, ...answer]
          expect(at(tokens)).toEqual([...filled, ...new Array(width - real).fill(padding)])
          expect(at(mask)).toEqual(Array.from({ length: width }, (_, i) => (i < real ? 1 : 0)))
          expect(at(answerMask)).toEqual(
            Array.from({ length: width }, (_, i) => (i >= prompt.length && i < real ? 1 : 0)),
          )
          expect(lengths[row]).toBe(Math.max(1, real))
        }
      }),
    )
  })
})

describe("statistics", () => {
  const numbers = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 30 })
  test("an interval is the mean with 1.96 standard errors on each side, and moves and stretches with its numbers", () => {
    fc.assert(
      fc.property(numbers, fc.double({ min: -5, max: 5, noNaN: true }), (values, by) => {
        const n = values.length
        const mean = values.reduce((a, b) => a + b) / n
        // The variance by another road: half the mean squared difference of all pairs.
        let squares = 0
        for (const a of values) for (const b of values) squares += (a - b) ** 2
        const half = 1.96 * Math.sqrt(squares / (2 * n * (n - 1)) / n)
        const got = interval(values)
        expect(got.mean).toBeCloseTo(mean, 8)
        expect(got.low).toBeCloseTo(mean - half, 6)
        expect(got.high).toBeCloseTo(mean + half, 6)
        const moved = interval(values.map((v) => by + 2 * v))
        expect(moved.low).toBeCloseTo(by + 2 * got.low, 6)
        expect(moved.high).toBeCloseTo(by + 2 * got.high, 6)
      }),
    )
  })

  test("an interval of 95 % holds the true mean in about 95 of 100 samples", () => {
    const draws = random.uniform(keyFromSeed(21), [1000, 30]).data
    const held = Array.from({ length: 1000 }, (_, i) => interval([...draws.subarray(i * 30, (i + 1) * 30)]))
    const share = held.filter(({ low, high }) => low <= 0.5 && 0.5 <= high).length / 1000
    // 1.96 stands for Student's 2.05 at 30 numbers: 94 % are due; four standard errors of the share are 0.03.
    expect(Math.abs(share - 0.94)).toBeLessThan(0.03)
  })

  const scores = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 1, maxLength: 5 })
  const rows = fc.array(
    scores.chain((truth) =>
      fc.tuple(
        fc.array(fc.integer({ min: -2, max: 2 }), { minLength: truth.length, maxLength: truth.length }),
        fc.constant(truth),
      ),
    ),
    { maxLength: 5 },
  )
  test("pair accuracy counts, of all ordered pairs that the truth decides, those ordered alike, and half of the ties", () => {
    fc.assert(
      fc.property(rows, (all) => {
        let [decided, points] = [0, 0]
        for (const [given, truth] of all) {
          truth.forEach((better, i) => {
            truth.forEach((worse, j) => {
              if (better <= worse) return
              decided++
              points += given[i]! > given[j]! ? 1 : given[i]! === given[j]! ? 0.5 : 0
            })
          })
        }
        expect(pairAccuracy(all)).toEqual({ accuracy: decided === 0 ? 0 : points / decided, pairs: decided })
      }),
    )
  })

  test("a judge who agrees is right always, one who says the opposite never, one who cannot tell half the time", () => {
    const truth = [3, 1, 2, 0]
    expect(pairAccuracy([[truth, truth]])).toEqual({ accuracy: 1, pairs: 6 })
    expect(pairAccuracy([[truth.map((x) => -x), truth]]).accuracy).toBe(0)
    expect(pairAccuracy([[[7, 7, 7, 7], truth]]).accuracy).toBe(0.5)
  })
})
