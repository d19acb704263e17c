import type { SparseConfig, SparseInputs, SparseParams } from "@millrace/models"
import { sparseParams } from "@millrace/models"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { tensorsOf, testParams } from "../models/reference/params.js"
import { expectSame, expectThat, values } from "./close.js"
import { float, ids, rows, size } from "./examples.js"
import { type Law, law } from "./law.js"

/** Parameters, captions and codes to logits of the next word, b t v, and of each code, b s k. */
export type TextToCodes = (
  config: SparseConfig,
  p: SparseParams,
  inputs: SparseInputs,
) => { readonly text: tf.Tensor; readonly image: tf.Tensor }

/** A layer of each pattern over an oblong image. */
const config: SparseConfig = {
  textVocab: 4,
  imageVocab: 3,
  text: 3,
  rows: 2,
  columns: 3,
  width: 4,
  layers: 3,
  heads: 1,
  kernel: 3,
}
const [t, s] = [3, 6]

const examples = fc.record({
  seed: size(0, 20),
  caption: fc.array(fc.nat(3), { maxLength: t }),
  codes: fc.array(fc.nat(2), { minLength: s, maxLength: s }),
})
type Example = typeof examples extends fc.Arbitrary<infer T> ? T : never
const full = examples.filter(({ caption }) => caption.length === t)

export const sparseModelLaws = (model: TextToCodes): ReadonlyArray<Law> => {
  /** Logits of each position of each example, all of the examples in one batch, under the parameters of the first. */
  const at = (of: ReadonlyArray<Example>, { beyond = 0, moved = null as number | null } = {}) => {
    const specs = sparseParams(config)
    const params = { ...testParams(specs, of[0]!.seed, 0.5) }
    if (moved !== null) {
      const table = params["text.token"]!
      params["text.token"] = table.map((x, i) => (Math.floor(i / config.width) === moved ? x + 0.5 : x))
    }
    const { text, image } = model(config, tensorsOf(specs, params) as SparseParams, {
      tokens: ids(
        [of.length, t],
        of.flatMap(({ caption }) => Array.from({ length: t }, (_, i) => caption[i] ?? beyond)),
      ),
      mask: float(
        [of.length, t],
        of.flatMap(({ caption }) => Array.from({ length: t }, (_, i) => (i < caption.length ? 1 : 0))),
      ),
      codes: ids(
        [of.length, s],
        of.flatMap(({ codes }) => codes),
      ),
    })
    const [ofText, ofImage] = [rows(values(text), config.textVocab + t), rows(values(image), config.imageVocab)]
    return of.map((_, b) => ({ text: ofText.slice(b * t, (b + 1) * t), image: ofImage.slice(b * s, (b + 1) * s) }))
  }
  const one = (of: Example, options = {}) => at([of], options)[0]!
  const flat = ({ text, image }: { text: Array<Array<number>>; image: Array<Array<number>> }) =>
    [...text, ...image].flat()

  return [
    law(
      "a later token never changes an earlier logit, bit for bit",
      fc.tuple(full, size(0, t + s - 1)),
      ([e, place]) => {
        const turn = (list: ReadonlyArray<number>, from: number, vocab: number) =>
          list.map((id, i) => (i + from === place ? (id + 1) % vocab : id))
        const other = { ...e, caption: turn(e.caption, 0, 4), codes: turn(e.codes, t, 3) }
        const [before, after] = [one(e), one(other)]
        expectSame(after.text.slice(0, place).flat(), before.text.slice(0, place).flat())
        const read = Math.max(0, place - t + 1)
        expectSame(after.image.slice(0, read).flat(), before.image.slice(0, read).flat())
      },
    ),
    law("each word changes the logits of all codes", fc.tuple(full, size(0, t - 1)), ([e, place]) => {
      const caption = e.caption.with(place, (e.caption[place]! + 1) % 4)
      const [before, after] = [one(e), one({ ...e, caption })]
      for (const [i, row] of after.image.entries()) {
        expectThat(
          row.some((logit, k) => logit !== before.image[i]![k]),
          () => `not those of code ${i}`,
        )
      }
    }),
    law("each code changes the logits of the last", fc.tuple(examples, size(0, s - 2)), ([e, place]) => {
      const codes = e.codes.with(place, (e.codes[place]! + 1) % 3)
      const [before, after] = [one(e).image.at(-1)!, one({ ...e, codes }).image.at(-1)!]
      expectThat(
        after.some((logit, k) => logit !== before[k]),
        () => `code ${place} does not`,
      )
    }),
    law("no code changes a logit of the text", examples, (e) => {
      const codes = e.codes.map((code) => (code + 1) % 3)
      expectSame(one({ ...e, codes }).text.flat(), one(e).text.flat())
    }),
    law("what stands at padding changes no bit", fc.tuple(examples, size(-3, 99)), ([e, beyond]) => {
      expectSame(flat(one(e, { beyond })), flat(one(e)))
    }),
    law(
      "the padding of a position is used if and only if the caption ends before it",
      fc.tuple(examples, size(0, t - 1)),
      ([e, p]) => {
        const [before, after] = [flat(one(e)), flat(one(e, { moved: config.textVocab + p }))]
        const used = before.some((logit, i) => logit !== after[i])
        expectThat(used === e.caption.length <= p, () => `${used} for a caption of ${e.caption.length}`)
      },
    ),
    law(
      "equal codes at two places are told apart by row and by column",
      fc.tuple(examples, size(0, 2)),
      ([e, code]) => {
        const same = { ...e, codes: Array.from({ length: s }, () => code) }
        const { image } = one(same)
        // Places 2, 3 and 5 share a column or a row; each is the code before the one that it predicts.
        const distinct = new Set([3, 4].map((place) => image[place]!.join()))
        expectThat(distinct.size === 2, () => "two places predict the same")
      },
    ),
    law("a batch gives each pair what it gets alone, bit for bit", fc.tuple(examples, examples), ([a, other]) => {
      const b = { ...other, seed: a.seed }
      expectSame(at([a, b]).flatMap(flat), [...flat(one(a)), ...flat(one(b))])
    }),
  ]
}
