import { ShapeMismatch } from "@millrace/core"
import { sparseLossLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { expectClose } from "./close.js"
import { float, ids } from "./examples.js"
import { verify } from "./law.js"
import { counted, ignored } from "./mutants/sparse.js"

verify("sparseLoss, paddings counted", sparseLossLaws(counted, { pads: "counted" }))
verify("sparseLoss, paddings ignored", sparseLossLaws(ignored, { pads: "ignored" }))

test("captions of a single token cost nothing where paddings are ignored, and the image still counts", () => {
  const [text, image] = [tf.zeros([1, 2, 4]), tf.zeros([1, 3, 5])]
  const { loss, textLoss } = ignored(text, image, ids([1, 2], [1, 0]), float([1, 2], [1, 0]), ids([1, 3], [0, 1, 2]))
  expectClose(textLoss, 0)
  expectClose(loss, (7 / 8) * Math.log(5))
})

test("codes of another number than their logits are refused", () => {
  const [text, image] = [tf.zeros([1, 2, 4]), tf.zeros([1, 3, 5])]
  expect(() => ignored(text, image, ids([1, 2], [1, 0]), float([1, 2], [1, 1]), ids([1, 2], [0, 1]))).toThrow(
    ShapeMismatch,
  )
})
