import { slerp, textDiff, unitNorm } from "@millrace/models"
import { type TextDiff, textDiffLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

export const textDiffMutants = mutantSet<TextDiff>({
  subject: "text diff",
  laws: textDiffLaws,
  real: textDiff,
  mutants: {
    "turns towards the base": (image, text, base, share) => textDiff(image, base, text, share),
    "turns towards the text alone": (image, text, _, share) => slerp(image, unitNorm(text), share),
    "keeps the length of the difference": (image, text, base, share) => slerp(image, tf.sub(text, base), share),
    "takes the difference of directions": (image, text, base, share) =>
      textDiff(image, unitNorm(text), unitNorm(base), share),
    "goes straight": (image, text, base, share) => {
      const towards = unitNorm(tf.sub(text, base))
      return tf.add(image, tf.mul(tf.sub(towards, image), share))
    },
    "goes straight, at unit norm": (image, text, base, share) => {
      const towards = unitNorm(tf.sub(text, base))
      return unitNorm(tf.add(image, tf.mul(tf.sub(towards, image), share)))
    },
    "adds the difference": (image, text, base, share) =>
      unitNorm(tf.add(image, tf.mul(unitNorm(tf.sub(text, base)), share))),
    "goes from the text": (image, text, base, share) => textDiff(image, text, base, tf.sub(1, share)),
  },
})
