import { ShapeMismatch } from "@millrace/core"
import { sparseLoss } from "@millrace/models"
import { captioned, sparseLossLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import type fc from "fast-check"
import { expect, test } from "vitest"
import { expectClose } from "./close.js"
import { float, ids, logSoftmax, rows } from "./examples.js"
import { expectGradient } from "./finiteDifference.js"
import { law, verify } from "./law.js"

type Batch = typeof captioned extends fc.Arbitrary<infer T> ? T : never

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
    law("it has the value and the gradient of the float64 reference", captioned, (batch) => {
      expectGradient(
        (text, image) => lossOf(batch, pads)(text!, image!).loss,
        (text, image) => reference(batch, pads, text!, image!),
        at(batch),
      )
    }),
    ...sparseLossLaws((text, image, tokens, mask, codes) => sparseLoss(text, image, tokens, mask, codes, { pads }), {
      pads,
    }),
  ])
}

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
