/** The small nodes between unCLIP's networks and their losses. */
import { defineTensorNode, tensor } from "@millrace/core"
import { projectEmbeddings, quantise, variances } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { Count } from "../ranges.js"

/** `noise`, `variance` of a U-Net -> what a loss and a sampler read: both, or the first alone where the variance is fixed. */
export const prediction = defineTensorNode({
  type: "dalle2.prediction",
  version: 1,
  source: "Nichol and Dhariwal 2021, section 3.1",
  config: Schema.Struct({ variance: Schema.Literals(variances) }),
  ports: () => ({
    in: { noise: tensor("float32", "b y x c", "noise"), variance: tensor("float32", "b y x c", "variance") },
    out: tensor("float32", "b y x k", "prediction"),
  }),
  // A node's value is its own, not that of another node.
  apply: (config, _, { noise, variance }) =>
    config.variance === "learned-range" ? tf.concat([noise, variance], 3) : tf.clone(noise),
})

const components = tensor("float32", "b k")

/** `embedding`, where components are measured from and along -> its principal components. */
export const embeddingComponents = defineTensorNode({
  type: "dalle2.embeddingComponents",
  version: 1,
  source: "Ramesh et al. 2022, section 2.2",
  config: Schema.Struct({}),
  ports: () => ({
    in: {
      embedding: tensor("float32", "b c", "embedding"),
      mean: tensor("float32", "c"),
      axes: tensor("float32", "k c"),
    },
    out: components,
  }),
  apply: (_config, _params, { embedding, mean, axes }) => projectEmbeddings(embedding, mean, axes),
})

/** `components` and their ranges -> the bucket of each. */
export const componentCodes = defineTensorNode({
  type: "dalle2.componentCodes",
  version: 1,
  source: "Ramesh et al. 2022, section 2.2",
  config: Schema.Struct({ buckets: Count }),
  ports: () => ({
    in: { components, low: tensor("float32", "k"), high: tensor("float32", "k") },
    out: tensor("int32", "b k", "code"),
  }),
  apply: ({ buckets }, _, { components, low, high }) => quantise(components, low, high, buckets),
})
