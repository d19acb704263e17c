import { crossEntropy } from "@millrace/core"
import { maskedMean, padCaptions, sparseLoss } from "@millrace/models"
import { type SparseLossOf, sparseLossLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

const lossWith =
  (pads: "counted" | "ignored"): SparseLossOf =>
  (...given) =>
    sparseLoss(...given, { pads })

export const counted = lossWith("counted")
export const ignored = lossWith("ignored")

const weighed =
  (text: number, image: number): SparseLossOf =>
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

/** The image's loss, with the weights of pairs falling from the first on. */
const firstCountsMore = (image: tf.Tensor, codes: tf.Tensor): tf.Scalar => {
  const each = crossEntropy(image, codes) // b s
  const weights = tf.range(image.shape[0]!, 0, -1)
  return tf.sum(tf.mul(tf.mean(each, 1), tf.div(weights, tf.sum(weights)))) as tf.Scalar
}

export const sparseLossMutants = mutantSet<SparseLossOf>({
  subject: "loss over text and image, paddings counted",
  laws: (loss) => sparseLossLaws(loss, { pads: "counted" }),
  real: counted,
  mutants: {
    "with equal weights": weighed(1 / 2, 1 / 2),
    "with weights that do not sum to 1": weighed(1, 7),
    "in which each text position predicts its own token": (text, image, tokens, mask, codes) => {
      const labels = padCaptions(tokens, mask, text.shape[2]!)
      return joined(ofText(text, labels, tf.ones(tokens.shape)), counted(text, image, tokens, mask, codes).imageLoss)
    },
    "in which paddings do not count": ignored,
    "in which padding is whatever stands there": (text, image, tokens, mask, codes) => {
      const counts = successor(tf.ones(tokens.shape), 0)
      const labels = tf.clipByValue(successor(tokens, 0), 0, text.shape[2]! - 1)
      return joined(ofText(text, tf.cast(labels, "int32"), counts), counted(text, image, tokens, mask, codes).imageLoss)
    },
    "that pulls logits to 0": (text, image, ...given) => {
      const { textLoss, imageLoss } = counted(text, image, ...given)
      return joined(textLoss, tf.add(imageLoss, tf.mul(0.01, tf.mean(tf.square(image)))))
    },
    "whose logits are probabilities already": (text, image, tokens, mask, codes) => {
      const of = (x: tf.Tensor, labels: tf.Tensor): tf.Tensor =>
        tf.neg(tf.sum(tf.mul(x, tf.cast(tf.oneHot(tf.cast(labels, "int32"), x.shape[2]!), "float32")), -1))
      return joined(counted(text, image, tokens, mask, codes).textLoss, tf.mean(of(image, codes)) as tf.Scalar)
    },
    "in which the image's loss is less a baseline": (...given) => {
      const { textLoss, imageLoss } = counted(...given)
      return joined(textLoss, tf.sub(imageLoss, 2))
    },
    "in which both are a mean over all tokens": (text, image, tokens, mask, codes) => {
      const { textLoss, imageLoss } = counted(text, image, tokens, mask, codes)
      const all = tf.add(tf.mul(textLoss, 0.3), tf.mul(imageLoss, 0.7)) as tf.Scalar
      return { textLoss: all, imageLoss: all, loss: all }
    },
    "in which the first pair counts more": (text, image, tokens, mask, codes) => {
      return joined(counted(text, image, tokens, mask, codes).textLoss, firstCountsMore(image, codes))
    },
  },
})

export const maskedSparseLossMutants = mutantSet<SparseLossOf>({
  subject: "loss over text and image, paddings ignored",
  laws: (loss) => sparseLossLaws(loss, { pads: "ignored" }),
  real: ignored,
  mutants: {
    "that weighs both alike": (...given) => {
      const { textLoss, imageLoss } = ignored(...given)
      return { loss: tf.div(tf.add(textLoss, imageLoss), 2), textLoss, imageLoss }
    },
    "that looks padding's ids up": (text, image, tokens, mask, codes) => {
      const given = ignored(text, image, tokens, mask, codes)
      const junk = tf.mul(1e-3, tf.mean(tf.cast(tokens, "float32")))
      return { ...given, loss: tf.add(given.loss, junk) }
    },
    "that forgets to normalise": (text, image, tokens, mask, codes) => {
      const given = ignored(text, image, tokens, mask, codes)
      return { ...given, loss: tf.add(given.loss, tf.mul(0.1, tf.mean(image))) }
    },
    "that counts padding": (text, image, tokens, mask, codes) =>
      sparseLoss(text, image, tokens, mask, codes, { pads: "counted" }),
    "that multiplies by its mask": (text, image, tokens, mask, codes) => {
      const given = ignored(text, image, tokens, mask, codes)
      const nothing = tf.sum(tf.mul(0, tf.mul(text, tf.expandDims(mask, 2))))
      return { ...given, loss: tf.add(given.loss, nothing) }
    },
    "that takes the mean of both as either": (...given) => {
      const all = ignored(...given)
      return { ...all, textLoss: all.loss, imageLoss: all.loss }
    },
    "in which the first pair counts more": (...given) => ({
      ...ignored(...given),
      loss: joined(ignored(...given).textLoss, firstCountsMore(given[1], given[4])).loss,
    }),
    "by products with the mask": (text, image, tokens, mask, codes) => {
      const counts = successor(mask, 0)
      const labels = successor(padCaptions(tokens, mask, text.shape[2]!), 0)
      const each = tf.mul(crossEntropy(text, labels), counts)
      const textLoss = tf.div(tf.sum(each), tf.maximum(tf.sum(counts), 1)) as tf.Scalar
      return joined(textLoss, counted(text, image, tokens, mask, codes).imageLoss)
    },
  },
})
