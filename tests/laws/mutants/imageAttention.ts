import { imageAttention, imageAttentionParams } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { type AttentionUnit, imageAttentionLaws } from "../imageAttentionLaws.js"
import { mutantSet } from "./mutantSet.js"

export const real: AttentionUnit = { params: imageAttentionParams, apply: imageAttention }

export const imageAttentionMutants = mutantSet<AttentionUnit>({
  subject: "attention over an image",
  laws: imageAttentionLaws,
  real: real,
  runs: 8,
  mutants: {
    "whose projection begins as noise": {
      ...real,
      params: (channels, context) => {
        const specs = imageAttentionParams(channels, context)
        return { ...specs, out: { ...specs.out, weight: { ...specs.out.weight, init: { kind: "normal", std: 1 } } } }
      },
    },
    "that counts its columns": {
      ...real,
      apply: (p, x, context, options) => {
        const columns = tf.reshape(tf.range(0, x.shape[2] ?? 1), [1, 1, -1, 1])
        return imageAttention(p, tf.add(x, columns), context, options)
      },
    },
    "that sees what it must not": {
      ...real,
      apply: (p, x, context, options) =>
        imageAttention(p, x, context === null ? null : { tokens: context.tokens }, options),
    },
    "that adds twice what it saw": {
      ...real,
      apply: (p, x, context, options) => tf.sub(tf.mul(2, imageAttention(p, x, context, options)), x),
    },
    "without a context": { ...real, apply: (p, x, _, options) => imageAttention(p, x, null, options) },
  },
})
