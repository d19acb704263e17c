import { sparseLoss } from "@millrace/models"
import { type SparseLossOf, sparseLossLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

const ours: SparseLossOf = (text, image, tokens, mask, codes) =>
  sparseLoss(text, image, tokens, mask, codes, { pads: "ignored" })

export const sparseLossMutants = mutantSet<SparseLossOf>({
  subject: "loss over text and image",
  laws: (lossOf) => sparseLossLaws(lossOf, { pads: "ignored" }),
  real: ours,
  mutants: {
    "that weighs both alike": (...given) => {
      const { textLoss, imageLoss } = ours(...given)
      return { loss: tf.div(tf.add(textLoss, imageLoss), 2), textLoss, imageLoss }
    },
    "that looks padding's ids up": (text, image, tokens, mask, codes) => {
      const given = ours(text, image, tokens, mask, codes)
      const junk = tf.mul(1e-3, tf.mean(tf.cast(tokens, "float32")))
      return { ...given, loss: tf.add(given.loss, junk) }
    },
    "that forgets to normalise": (text, image, tokens, mask, codes) => {
      const given = ours(text, image, tokens, mask, codes)
      return { ...given, loss: tf.add(given.loss, tf.mul(0.1, tf.mean(image))) }
    },
    "that counts padding": (text, image, tokens, mask, codes) =>
      sparseLoss(text, image, tokens, mask, codes, { pads: "counted" }),
    "that multiplies by its mask": (text, image, tokens, mask, codes) => {
      const given = ours(text, image, tokens, mask, codes)
      const nothing = tf.sum(tf.mul(0, tf.mul(text, tf.expandDims(mask, 2))))
      return { ...given, loss: tf.add(given.loss, nothing) }
    },
    "that takes the mean of both as either": (...given) => {
      const all = ours(...given)
      return { ...all, textLoss: all.loss, imageLoss: all.loss }
    },
  },
})
