import { crossEntropy, ShapeMismatch } from "@millrace/core"
import { maskedMean, padCaptions, sparseLoss } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { expectClose } from "./close.js"
import { float, ids } from "./examples.js"
import { verify } from "./law.js"
import { refuses } from "./refuses.js"
import { ignoredPadLaws, sparseLossLaws, type TextAndImageLoss } from "./sparseLossLaws.js"

const lossWith =
  (pads: "counted" | "ignored"): TextAndImageLoss =>
  (...given) =>
    sparseLoss(...given, { pads })
const counted = lossWith("counted")
const ignored = lossWith("ignored")

verify("sparseLoss, paddings counted", sparseLossLaws(counted, "counted"))
verify("sparseLoss, paddings ignored", [...sparseLossLaws(ignored, "ignored"), ...ignoredPadLaws(ignored)])

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

const weighed =
  (text: number, image: number): TextAndImageLoss =>
  (...given) => {
    const { textLoss, imageLoss } = counted(...given)
    return { textLoss, imageLoss, loss: tf.add(tf.mul(textLoss, text), tf.mul(imageLoss, image)) }
  }
const joined = (textLoss: tf.Scalar, imageLoss: tf.Scalar) => ({
  textLoss,
  imageLoss,
  loss: tf.add(tf.div(textLoss, 8), tf.mul(imageLoss, 7 / 8)) as tf.Scalar,
})
/** Cross-entropy of all text positions that `counts` weighs, each with the label beside it. */
const ofText = (text: tf.Tensor, labels: tf.Tensor, counts: tf.Tensor): tf.Scalar =>
  maskedMean(crossEntropy(text, labels), counts, "token-mean")
const successor = (x: tf.Tensor, last: number): tf.Tensor => {
  const [b = 0, t = 0] = x.shape
  return tf.concat([tf.slice(x, [0, 1], [b, t - 1]), tf.fill([b, 1], last, x.dtype as "int32")], 1)
}

refuses("a loss of text and image", (loss: TextAndImageLoss) => sparseLossLaws(loss, "counted"), [
  ["with equal weights", weighed(1 / 2, 1 / 2), "it is an eighth of the text's loss and seven eighths of the image's"],
  ["with weights that do not sum to 1", weighed(1, 7), "uniform logits cost ⅛ ln v + ⅞ ln k"],
  [
    "because each text position predicts its own token",
    (text, image, tokens, mask, codes) => {
      const labels = padCaptions(tokens, mask, text.shape[2]!)
      return joined(ofText(text, labels, tf.ones(tokens.shape)), counted(text, image, tokens, mask, codes).imageLoss)
    },
    "logits that predict nothing have a gradient of exactly 0",
  ],
  ["because paddings do not count", ignored, "it has the value and the gradient of the float64 reference"],
  [
    "because padding is whatever stands there",
    (text, image, tokens, mask, codes) => {
      const counts = successor(tf.ones(tokens.shape), 0)
      const labels = tf.clipByValue(successor(tokens, 0), 0, text.shape[2]! - 1)
      return joined(ofText(text, tf.cast(labels, "int32"), counts), counted(text, image, tokens, mask, codes).imageLoss)
    },
    "the ids at padding change no bit",
  ],
  [
    "because it pulls logits to 0",
    (text, image, ...given) => {
      const { textLoss, imageLoss } = counted(text, image, ...given)
      return joined(textLoss, tf.add(imageLoss, tf.mul(0.01, tf.mean(tf.square(image)))))
    },
    "a constant added to the logits of a position changes nothing",
  ],
  [
    "because its logits are probabilities already",
    (text, image, tokens, mask, codes) => {
      const of = (x: tf.Tensor, labels: tf.Tensor): tf.Tensor =>
        tf.neg(tf.sum(tf.mul(x, tf.cast(tf.oneHot(tf.cast(labels, "int32"), x.shape[2]!), "float32")), -1))
      return joined(counted(text, image, tokens, mask, codes).textLoss, tf.mean(of(image, codes)) as tf.Scalar)
    },
    "the gradient of each position's logits sums to 0",
  ],
  [
    "because the image's loss is less a baseline",
    (...given) => {
      const { textLoss, imageLoss } = counted(...given)
      return joined(textLoss, tf.sub(imageLoss, 2))
    },
    "no part of it is negative",
  ],
  [
    "because both are a mean over all tokens",
    (text, image, tokens, mask, codes) => {
      const { textLoss, imageLoss } = counted(text, image, tokens, mask, codes)
      const all = tf.add(tf.mul(textLoss, 0.3), tf.mul(imageLoss, 0.7)) as tf.Scalar
      return { textLoss: all, imageLoss: all, loss: all }
    },
    "the text's loss does not know the image, nor the image's the text",
  ],
  [
    "because the first pair counts more",
    (text, image, tokens, mask, codes) => {
      const each = crossEntropy(image, codes) // b s
      const rows = tf.add(tf.range(0, image.shape[0]!), 1)
      const weights = tf.div(tf.reshape(rows, [-1, 1]), tf.sum(rows))
      const imageLoss = tf.sum(tf.mul(tf.mean(each, 1, true), weights)) as tf.Scalar
      return joined(counted(text, image, tokens, mask, codes).textLoss, imageLoss)
    },
    "the order of the pairs of caption and image is irrelevant",
  ],
])

refuses("a loss that ignores paddings", ignoredPadLaws, [
  [
    "by products with the mask",
    (text, image, tokens, mask, codes) => {
      const counts = successor(mask, 0)
      const labels = successor(padCaptions(tokens, mask, text.shape[2]!), 0)
      const each = tf.mul(crossEntropy(text, labels), counts)
      const textLoss = tf.div(tf.sum(each), tf.maximum(tf.sum(counts), 1)) as tf.Scalar
      return joined(textLoss, counted(text, image, tokens, mask, codes).imageLoss)
    },
    "logits that predict padding, be they NaN, change no bit",
  ],
])
