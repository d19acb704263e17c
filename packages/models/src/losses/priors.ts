/** The losses of unCLIP's two priors, and their nodes. */
import { crossEntropy, defineTensorNode, tensor } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { bindAxes } from "./shapes.js"

/**
 * The mean squared difference of embeddings: of all components of all examples alike, as in Karlo. The paper writes the
 * squared norm, which is the width times this.
 * @param predicted  float32  b c
 * @param embedding  float32  b c   of the images, before noise
 * @fails ShapeMismatch  axes that differ
 * @law   the mean of the embeddings that go with an input is its best prediction
 * @source Ramesh et al. 2022, section 2.2
 */
export const priorLoss = (predicted: tf.Tensor, embedding: tf.Tensor): tf.Scalar => {
  bindAxes("loss.prior", { predicted: [predicted, "b c"], embedding: [embedding, "b c"] })
  return tf.mean(tf.squaredDifference(predicted, embedding)) as tf.Scalar
}

/**
 * The mean cross-entropy of codes.
 * @param logits  float32  b k v
 * @param codes   int32    b k
 * @fails ShapeMismatch  axes that differ
 * @law   uniform logits cost ln v
 * @source Ramesh et al. 2022, section 2.2
 */
export const codeLoss = (logits: tf.Tensor, codes: tf.Tensor): tf.Scalar => {
  bindAxes("loss.codes", { logits: [logits, "b k v"], codes: [codes, "b k"] })
  return tf.mean(crossEntropy(logits, codes)) as tf.Scalar
}

const embedding = tensor("float32", "b c", "embedding")

export const priorLosses = {
  /** `predicted`, `embedding` -> their mean squared difference. */
  prior: defineTensorNode({
    type: "loss.prior",
    version: 1,
    source: "Ramesh et al. 2022, section 2.2",
    config: Schema.Struct({}),
    ports: () => ({ in: { predicted: embedding, embedding }, out: tensor("float32", "") }),
    apply: (_, __, { predicted, embedding }) => priorLoss(predicted, embedding),
    laws: async () => (await import("../laws/imageNodeLaws.js")).priorLossNodeLaws(),
  }),
  /** `logits`, `codes` -> the mean cross-entropy of the codes. */
  codes: defineTensorNode({
    type: "loss.codes",
    version: 1,
    source: "Ramesh et al. 2022, section 2.2",
    config: Schema.Struct({}),
    ports: () => ({
      in: { logits: tensor("float32", "b k v", "logit"), codes: tensor("int32", "b k", "code") },
      out: tensor("float32", "", "nat"),
    }),
    apply: (_, __, { logits, codes }) => codeLoss(logits, codes),
    laws: async () => (await import("../laws/imageNodeLaws.js")).codeLossNodeLaws(),
  }),
}
