import { contrastiveLoss, type EncodePart, unitNorm } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expectClose, values } from "./close.js"
import { float, grid, real, rows, size } from "./examples.js"
import { type Law, law } from "./law.js"

/** Pairs of inputs of both sides: b c each. */
export interface Part {
  readonly images: tf.Tensor
  readonly texts: tf.Tensor
}

/** Gradients of a loss over a batch that is given in parts. */
export type ByParts = (
  params: ReadonlyArray<tf.Tensor>,
  parts: ReadonlyArray<Part>,
  encode: EncodePart<Part>,
  loss: (features: ReadonlyArray<tf.Tensor>) => tf.Scalar,
) => { readonly value: tf.Scalar; readonly grads: ReadonlyArray<tf.Tensor> }

/** Two towers that treat examples one by one. */
const encode: EncodePart<Part> = ([imageWeight, textWeight], { images, texts }) => [
  unitNorm(tf.tanh(tf.matMul(images, imageWeight!))),
  unitNorm(tf.tanh(tf.matMul(texts, textWeight!))),
]
const loss = ([images, texts]: ReadonlyArray<tf.Tensor>): tf.Scalar => contrastiveLoss(images!, texts!, tf.scalar(1.5))

const input = real(2).filter((x) => Math.abs(x) > 0.1)
const batches = fc.tuple(size(2, 5), size(1, 3), size(2, 3)).chain(([b, c, j]) =>
  fc.record({
    b: fc.constant(b),
    c: fc.constant(c),
    j: fc.constant(j),
    images: grid([b, c], input),
    texts: grid([b, c], input),
    weights: grid([2, c, j], input),
    cut: size(1, b - 1),
  }),
)
type Batch = typeof batches extends fc.Arbitrary<infer T> ? T : never

const partOf = ({ c, images, texts }: Batch, from: number, to: number): Part => {
  const side = (flat: ReadonlyArray<number>): tf.Tensor => float([to - from, c], rows(flat, c).slice(from, to).flat())
  return { images: side(images), texts: side(texts) }
}
const paramsOf = ({ c, j, weights }: Batch): ReadonlyArray<tf.Tensor> =>
  [0, 1].map((side) => float([c, j], weights.slice(side * c * j, (side + 1) * c * j)))

/** What gradients by parts of a contrastive batch obey. */
export const gradCacheLaws = (byParts: ByParts): ReadonlyArray<Law> => {
  const whole = (batch: Batch) =>
    tf.valueAndGrads((...p: ReadonlyArray<tf.Tensor>) => loss(encode(p, partOf(batch, 0, batch.b))))([
      ...paramsOf(batch),
    ])
  return [
    law("two parts of any sizes have the loss of the whole batch", batches, (batch) => {
      const parts = [partOf(batch, 0, batch.cut), partOf(batch, batch.cut, batch.b)]
      expectClose(byParts(paramsOf(batch), parts, encode, loss).value, whole(batch).value)
    }),
    law("two parts of any sizes have the gradients of the whole batch", batches, (batch) => {
      const parts = [partOf(batch, 0, batch.cut), partOf(batch, batch.cut, batch.b)]
      const { grads } = byParts(paramsOf(batch), parts, encode, loss)
      expectClose(grads.flatMap(values), whole(batch).grads.flatMap(values), { absolute: 2e-6 })
    }),
    law("parts of one pair have the gradients of the whole batch", batches, (batch) => {
      const parts = Array.from({ length: batch.b }, (_, i) => partOf(batch, i, i + 1))
      const { grads } = byParts(paramsOf(batch), parts, encode, loss)
      expectClose(grads.flatMap(values), whole(batch).grads.flatMap(values), { absolute: 2e-6 })
    }),
  ]
}
