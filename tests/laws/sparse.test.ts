import { ShapeMismatch } from "@millrace/core"
import { sparseLoss } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expect, test } from "vitest"
import { expectClose, expectSame } from "./close.js"
import { float, grid, ids, logSoftmax, rightPadded, rows, size } from "./examples.js"
import { expectGradient } from "./finiteDifference.js"
import { law, verify } from "./law.js"

/** `v` classes of text of which the last `t` are paddings. */
const batches = fc
  .record({ b: size(1, 2), t: size(1, 4), words: size(1, 3), s: size(1, 4), k: size(1, 4) })
  .chain(({ b, t, words, s, k }) =>
    fc.record({
      sizes: fc.constant({ b, t, s, k, v: words + t }),
      text: grid([b, t, words + t]),
      image: grid([b, s, k]),
      tokens: grid([b, t], fc.nat(words - 1)),
      mask: rightPadded(b, t),
      codes: grid([b, s], fc.nat(k - 1)),
    }),
  )
type Batch = typeof batches extends fc.Arbitrary<infer T> ? T : never

const both = ["counted", "ignored"] as const
type Pads = (typeof both)[number]

const lossOf =
  ({ sizes: { b, t, s }, tokens, mask, codes }: Batch, pads: Pads) =>
  (text: tf.Tensor, image: tf.Tensor) =>
    sparseLoss(text, image, ids([b, t], tokens), float([b, t], mask), ids([b, s], codes), { pads })

const at = ({ sizes: { b, t, s, v, k }, text, image }: Batch) =>
  [
    { shape: [b, t, v], data: text },
    { shape: [b, s, k], data: image },
  ] as const

const mean = (values: ReadonlyArray<number>): number =>
  values.reduce((sum, x) => sum + x, 0) / Math.max(1, values.length)

const reference = (
  { sizes: { t, v, k }, tokens, mask, codes }: Batch,
  pads: Pads,
  text: ReadonlyArray<number>,
  image: ReadonlyArray<number>,
): number => {
  const ofText = rows(text, v).flatMap((logits, i) => {
    const place = i % t
    if (place === t - 1 || (pads === "ignored" && mask[i + 1] === 0)) return []
    const label = mask[i + 1] === 1 ? tokens[i + 1]! : v - t + place + 1
    return [-logSoftmax(logits)[label]!]
  })
  const ofImage = rows(image, k).map((logits, i) => -logSoftmax(logits)[codes[i]!]!)
  return mean(ofText) / 8 + (7 / 8) * mean(ofImage)
}

for (const pads of both) {
  verify(`sparseLoss, paddings ${pads}`, [
    law("it has the value and the gradient of the float64 reference", batches, (batch) => {
      expectGradient(
        (text, image) => lossOf(batch, pads)(text!, image!).loss,
        (text, image) => reference(batch, pads, text!, image!),
        at(batch),
      )
    }),
    law(
      "uniform logits cost ⅛ ln v + ⅞ ln k",
      batches.filter(
        ({ sizes: { t }, mask }) => t > 1 && (pads === "counted" || mask.some((m, i) => i % t === 1 && m)),
      ),
      (batch) => {
        const { b, t, s, v, k } = batch.sizes
        const { loss, textLoss, imageLoss } = lossOf(batch, pads)(tf.fill([b, t, v], 3), tf.fill([b, s, k], -2))
        expectClose(textLoss, Math.log(v))
        expectClose(imageLoss, Math.log(k))
        expectClose(loss, Math.log(v) / 8 + (7 / 8) * Math.log(k))
      },
    ),
    law("the ids at padding change no bit", batches, (batch) => {
      const [text, image] = at(batch).map(({ shape, data }) => float(shape, data)) as [tf.Tensor, tf.Tensor]
      const other = { ...batch, tokens: batch.tokens.map((id, i) => (batch.mask[i] === 1 ? id : -7)) }
      expectSame(lossOf(other, pads)(text, image).loss, lossOf(batch, pads)(text, image).loss)
    }),
    law("a constant added to the logits of a position changes nothing", batches, (batch) => {
      const { b, t, s } = batch.sizes
      const [text, image] = at(batch).map(({ shape, data }) => float(shape, data)) as [tf.Tensor, tf.Tensor]
      const shift = (n: number): tf.Tensor => tf.reshape(tf.sin(tf.range(0, b * n)), [b, n, 1])
      expectClose(
        lossOf(batch, pads)(tf.add(text, shift(t)), tf.add(image, shift(s))).loss,
        lossOf(batch, pads)(text, image).loss,
      )
    }),
  ])
}

verify("sparseLoss, paddings ignored", [
  law("logits that predict padding, be they NaN, change no bit and have a gradient of exactly 0", batches, (batch) => {
    const { b, t, v } = batch.sizes
    const [text, image] = at(batch).map(({ shape, data }) => float(shape, data)) as [tf.Tensor, tf.Tensor]
    const predicts = batch.mask.map((_, i) => (i % t < t - 1 ? batch.mask[i + 1]! : 0))
    const hidden = float(
      [b, t, v],
      batch.text.map((x, i) => (predicts[Math.floor(i / v)] === 1 ? x : Number.NaN)),
    )
    const loss = lossOf(batch, "ignored")
    expectSame(loss(hidden, image).loss, loss(text, image).loss)
    const gradient = tf
      .grad((x: tf.Tensor) => loss(x, image).loss)(hidden)
      .dataSync()
    for (const [i, g] of gradient.entries()) if (predicts[Math.floor(i / v)] === 0) expect(g + 0).toBe(0)
  }),
])

test("captions of a single token cost nothing where paddings are ignored, and the image still counts", () => {
  const text = tf.zeros([1, 2, 4])
  const image = tf.zeros([1, 3, 5])
  const { loss, textLoss } = sparseLoss(
    text,
    image,
    ids([1, 2], [1, 0]),
    float([1, 2], [1, 0]),
    ids([1, 3], [0, 1, 2]),
    {
      pads: "ignored",
    },
  )
  expectClose(textLoss, 0)
  expectClose(loss, (7 / 8) * Math.log(5))
})

test("codes of another number than their logits are refused", () => {
  const [text, image] = [tf.zeros([1, 2, 4]), tf.zeros([1, 3, 5])]
  expect(() =>
    sparseLoss(text, image, ids([1, 2], [1, 0]), float([1, 2], [1, 1]), ids([1, 2], [0, 1]), { pads: "ignored" }),
  ).toThrow(ShapeMismatch)
})
