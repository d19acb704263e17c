import { priorEmbedding } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { type Prior, priorModelLaws } from "../priorModelLaws.js"
import { mutantSet } from "./mutantSet.js"

const ones = (x: tf.Tensor): tf.Tensor => tf.onesLike(x)

export const priorMutants = mutantSet<Prior>({
  subject: "prior of embeddings",
  laws: priorModelLaws,
  real: priorEmbedding,
  runs: 8,
  mutants: {
    "that sees padding": (config, p, inputs) => priorEmbedding(config, p, { ...inputs, mask: ones(inputs.mask) }),
    "that never leaves a caption out": (config, p, { kept: _, ...inputs }) => priorEmbedding(config, p, inputs),
    "that leaves one caption out for all": (config, p, inputs) =>
      priorEmbedding(config, p, { ...inputs, kept: tf.mul(ones(inputs.kept!), tf.min(inputs.kept!)) }),
    "that adds the place in the batch": (config, p, inputs) => {
      const y = priorEmbedding(config, p, inputs)
      return tf.add(y, tf.reshape(tf.range(0, y.shape[0]!), [-1, 1]))
    },
    "of one time for all": (config, p, inputs) =>
      priorEmbedding(config, p, { ...inputs, time: tf.zerosLike(inputs.time) }),
  },
})
