/** Laws of a prior: what it knows of a caption, and of other examples. */
import { type PriorConfig, type PriorParams, type priorEmbedding, priorParams } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { tensorsOf, testParams } from "../models/reference/params.js"
import { expectSame } from "./close.js"
import { float, grid, ids, size } from "./examples.js"
import { type Law, law } from "./law.js"

export type Prior = (config: PriorConfig, p: PriorParams, inputs: Parameters<typeof priorEmbedding>[2]) => tf.Tensor

const configs = fc.record({
  embedding: size(1, 4),
  text: fc.record({ context: size(1, 4), vocab: size(2, 6) }),
  width: fc.constantFrom(4, 8),
  layers: size(1, 2),
  heads: fc.constantFrom(1, 2),
  dropped: fc.constantFrom("learned" as const, "masked" as const),
})

/** A prior with two examples: what it is given, and other numbers for what may not matter. */
const examples = configs.chain((config) =>
  fc.record({
    config: fc.constant(config),
    noised: grid([2, config.embedding]),
    time: grid([2], fc.nat(999)),
    textEmbedding: grid([2, config.embedding]),
    otherEmbedding: grid([2, config.embedding]),
    text: grid([2, config.text.context], fc.nat(config.text.vocab - 1)),
    other: grid([2, config.text.context], fc.nat(config.text.vocab - 1)),
    length: size(0, config.text.context),
  }),
)
type Example = typeof examples extends fc.Arbitrary<infer T> ? T : never

export const priorModelLaws = (predict: Prior): ReadonlyArray<Law> => {
  const at = (
    { config, noised, time, textEmbedding, text, length }: Example,
    change: {
      text?: ReadonlyArray<number>
      embedding?: ReadonlyArray<number>
      kept?: ReadonlyArray<number>
      order?: ReadonlyArray<number>
    } = {},
  ): tf.Tensor => {
    const c = config.embedding
    const t = config.text.context
    const p = tensorsOf(priorParams(config), testParams(priorParams(config))) as PriorParams
    const mask = Array.from({ length: 2 * t }, (_, i) => (i % t < length ? 1 : 0))
    const order = change.order ?? [0, 1]
    const pick = (rows: ReadonlyArray<number>, width: number) =>
      order.flatMap((row) => rows.slice(row * width, (row + 1) * width))
    return predict(config, p, {
      noised: float([2, c], pick(noised, c)),
      time: ids([2], pick(time, 1)),
      textEmbedding: float([2, c], pick(change.embedding ?? textEmbedding, c)),
      text: ids([2, t], pick(change.text ?? text, t)),
      mask: float([2, t], mask),
      kept: float([2], pick(change.kept ?? [1, 1], 1)),
    })
  }
  return [
    law("what stands at a caption's padding never changes the embedding", examples, (e) => {
      const t = e.config.text.context
      const text = e.text.map((token, i) => (i % t < e.length ? token : e.other[i]!))
      expectSame(at(e, { text }), at(e))
    }),
    law("where a caption is left out, neither its tokens nor its embedding change anything", examples, (e) => {
      const kept = [0, 0]
      expectSame(at(e, { kept, text: e.other, embedding: e.otherEmbedding }), at(e, { kept }))
    }),
    law("leaving one caption out changes no other example", examples, (e) => {
      const c = e.config.embedding
      const [one, both] = [at(e, { kept: [0, 1] }), at(e, { kept: [1, 1] })]
      expectSame(tf.slice(one, [1, 0], [1, c]), tf.slice(both, [1, 0], [1, c]))
    }),
    law("examples in another order are embeddings in that order", examples, (e) => {
      expectSame(at(e, { order: [1, 0] }), tf.reverse(at(e), 0))
    }),
    law("the time changes the embedding", examples, (e) => {
      const later = { ...e, time: e.time.map((time) => (time + 500) % 1000) }
      const moved = Math.max(...tf.abs(tf.sub(at(later), at(e))).dataSync())
      if (!(moved > 0)) throw new Error("another time gives the same embedding")
    }),
  ]
}
