import "@tensorflow/tfjs-backend-cpu"
import { BadConfig, BadLength, flatten, isParamSpec, sizeOf } from "@millrace/core"
import {
  type Attend,
  type SparseConfig,
  type SparseParams,
  sparse,
  sparseAttention,
  sparseLogits,
  sparseParams,
  sparsePatterns,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import { distance } from "../core/train/training.js"
import type { FlatParams } from "./reference/gpt.js"
import { tensorsOf, testParams } from "./reference/params.js"
import { denseAttention, type Example, referenceSparse } from "./reference/sparse.js"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

const paper: SparseConfig = {
  textVocab: 16_384,
  imageVocab: 8192,
  text: 256,
  rows: 32,
  columns: 32,
  width: 62 * 64,
  layers: 64,
  heads: 62,
}

/** One layer; one of each pattern in an oblong image; a deep one, so that row and column come again. */
const configs: ReadonlyArray<SparseConfig> = [
  { textVocab: 5, imageVocab: 4, text: 1, rows: 2, columns: 2, width: 3, layers: 1, heads: 1 },
  { textVocab: 7, imageVocab: 5, text: 4, rows: 3, columns: 5, width: 6, layers: 3, heads: 2, kernel: 3 },
  { textVocab: 3, imageVocab: 6, text: 3, rows: 4, columns: 3, width: 8, layers: 7, heads: 2, mlp: 5, kernel: 5 },
]
const middle = configs[1]!

const examples = ({ textVocab, imageVocab, text, rows, columns }: SparseConfig): fc.Arbitrary<Example> =>
  fc.record({
    caption: fc.array(fc.nat(textVocab - 1), { maxLength: text }),
    codes: fc.array(fc.nat(imageVocab - 1), { minLength: rows * columns, maxLength: rows * columns }),
  })

/** What stands at padding is `beyond`. */
const tensorsFor = ({ text }: SparseConfig, of: ReadonlyArray<Example>, beyond = -1) => {
  const row = <A>(each: Example, real: (t: number) => A, padding: A): Array<A> =>
    Array.from({ length: text }, (_, t) => (t < each.caption.length ? real(t) : padding))
  return {
    tokens: tf.tensor2d(
      of.map((each) => row(each, (t) => each.caption[t]!, beyond)),
      undefined,
      "int32",
    ),
    mask: tf.tensor2d(of.map((each) => row(each, () => 1, 0))),
    codes: tf.tensor2d(
      of.map(({ codes }) => [...codes]),
      undefined,
      "int32",
    ),
  }
}

interface Logits {
  readonly text: number[][][]
  readonly image: number[][][]
}

const logitsOf = (
  config: SparseConfig,
  of: ReadonlyArray<Example>,
  { params = testParams(sparseParams(config)), attend = sparseAttention as Attend, beyond = -1 } = {},
): Logits =>
  tf.tidy(() => {
    const p = tensorsOf(sparseParams(config), params) as SparseParams
    const { text, image } = sparseLogits(config, p, tensorsFor(config, of, beyond), attend)
    return { text: text.arraySync() as number[][][], image: image.arraySync() as number[][][] }
  })

describe("the order of layers", () => {
  test("is row, column, row, row over and over, and convolution last: 47, 16 and 1 of the paper's 64", () => {
    const kinds = sparsePatterns(paper).map(({ kind }) => kind)
    expect(kinds.slice(0, 8)).toEqual(["row", "column", "row", "row", "row", "column", "row", "row"])
    expect(kinds.at(-1)).toBe("convolution")
    const count = (kind: string): number => kinds.filter((each) => each === kind).length
    expect([count("row"), count("column"), count("convolution")]).toEqual([47, 16, 1])
    expect(sparsePatterns(paper).at(-1)).toEqual({ kind: "convolution", kernel: 11 })
  })
})

describe("parameters", () => {
  test("the paper's blocks have 12 billion weights", () => {
    const weights = Object.entries(flatten(sparseParams(paper), isParamSpec))
      .filter(([name, { shape }]) => name.startsWith("blocks.") && shape.length === 2)
      .reduce((n, [, { shape }]) => n + sizeOf(shape), 0)
    expect(weights).toBe(64 * 12 * 3968 ** 2)
  })
})

describe("forward", () => {
  test.each(configs)("equals plain float64 loops: $text text, $rows × $columns, $layers layers", (config) => {
    const params = testParams(sparseParams(config))
    fc.assert(
      fc.property(examples(config), (example) => {
        const expected = referenceSparse(config, params, example)
        const { text, image } = logitsOf(config, [example])
        expect(distance(text[0]!.flat(), expected.text.flat())).toBeLessThanOrEqual(1e-5)
        expect(distance(image[0]!.flat(), expected.image.flat())).toBeLessThanOrEqual(1e-5)
      }),
      { numRuns: 8 },
    )
  })

  test("equals the model with dense masks", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...configs).chain((c) => fc.tuple(fc.constant(c), examples(c))),
        ([config, each]) => {
          const dense = logitsOf(config, [each], { attend: denseAttention })
          const got = logitsOf(config, [each])
          expect(distance(got.text.flat(2), dense.text.flat(2))).toBeLessThanOrEqual(1e-5)
          expect(distance(got.image.flat(2), dense.image.flat(2))).toBeLessThanOrEqual(1e-5)
        },
      ),
      { numRuns: 15 },
    )
  })

  test("a batch gives each row what it gets alone", () => {
    fc.assert(
      fc.property(fc.array(examples(middle), { minLength: 2, maxLength: 3 }), (batch) => {
        const alone = batch.map((each) => logitsOf(middle, [each]))
        expect(logitsOf(middle, batch)).toEqual({
          text: alone.map(({ text }) => text[0]),
          image: alone.map(({ image }) => image[0]),
        })
      }),
      { numRuns: 10 },
    )
  })

  test("a later token never changes an earlier logit, bit for bit", () => {
    const { text, textVocab, imageVocab, rows, columns } = middle
    const full = examples(middle).filter(({ caption }) => caption.length === text)
    fc.assert(
      fc.property(full, fc.nat(text + rows * columns - 1), fc.integer({ min: 1, max: 3 }), (example, at, by) => {
        const turn = (ids: ReadonlyArray<number>, from: number, vocab: number) =>
          ids.map((id, i) => (i + from === at ? (id + by) % vocab : id))
        const changed = { caption: turn(example.caption, 0, textVocab), codes: turn(example.codes, text, imageVocab) }
        const [before, after] = [logitsOf(middle, [example]), logitsOf(middle, [changed])]
        // Text logits of position t read tokens 0 … t, image logits of place s the text and codes 0 … s − 1.
        expect(after.text[0]!.slice(0, at)).toEqual(before.text[0]!.slice(0, at))
        const read = Math.max(0, at - text + 1)
        expect(after.image[0]!.slice(0, read)).toEqual(before.image[0]!.slice(0, read))
      }),
      { numRuns: 20 },
    )
  })

  test("the first word and the first code reach the last code's logits", () => {
    const example: Example = { caption: [1, 2], codes: Array.from({ length: 15 }, (_, i) => i % 5) }
    const last = (each: Example): ReadonlyArray<number> => logitsOf(middle, [each]).image[0]!.at(-1)!
    expect(last({ ...example, caption: [3, 2] })).not.toEqual(last(example))
    expect(last({ ...example, codes: example.codes.with(0, 4) })).not.toEqual(last(example))
  })
})

describe("padding", () => {
  test("what stands at it changes no logit, bit for bit, be it outside of the vocabulary", () => {
    fc.assert(
      fc.property(examples(middle), fc.integer({ min: -9, max: 99_999 }), (example, beyond) => {
        expect(logitsOf(middle, [example], { beyond })).toEqual(logitsOf(middle, [example]))
      }),
      { numRuns: 10 },
    )
  })

  test("the embedding of the padding at p is used if and only if the caption is not longer than p", () => {
    const { text, textVocab, width } = middle
    const params = testParams(sparseParams(middle))
    fc.assert(
      fc.property(examples(middle), fc.nat(text - 1), (example, p) => {
        const moved: FlatParams = {
          ...params,
          "text.token": params["text.token"]!.map((v, i) => (Math.floor(i / width) === textVocab + p ? v + 0.5 : v)),
        }
        const [before, after] = [logitsOf(middle, [example]), logitsOf(middle, [example], { params: moved })]
        const used = JSON.stringify(before) !== JSON.stringify(after)
        expect(used).toBe(example.caption.length <= p)
      }),
      { numRuns: 30 },
    )
  })
})

describe("refusals", () => {
  test("a text or an image of another size is refused with both sizes", () => {
    const example: Example = { caption: [1], codes: [0, 1, 2] }
    expect(() => logitsOf(middle, [example])).toThrow(BadLength)
    expect(() => logitsOf(middle, [example])).toThrow(/4 text tokens and 3 · 5 image tokens[\s\S]*3 image tokens/)
  })

  test.each([
    ["an even kernel", { ...middle, kernel: 4 }, /kernel 4 must be odd/],
    ["a width that the heads do not divide", { ...middle, heads: 4 }, /multiple of heads 4/],
  ])("%s is refused", (_, config, message) => {
    expect(() => sparse.logits(config)).toThrow(BadConfig)
    expect(() => sparse.logits(config)).toThrow(message)
  })
})
