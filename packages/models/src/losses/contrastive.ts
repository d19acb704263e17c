/**
 * The symmetric contrastive loss: which text belongs to each image, and which image to each text.
 * Axes   b batch, j joint width
 */
import { crossEntropy, defineTensorNode, tensor } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { bindAxes } from "./shapes.js"

/**
 * ½ (mean cross-entropy of the rows + mean cross-entropy of the columns), where entry i of row i is the right one.
 * The gradient is (softmax of rows + softmax of columns − 2 · identity) / 2b.
 * @param logits  float32  b b
 * @returns       float32      nat
 * @fails ShapeMismatch  the matrix is not square
 * @law   transposing the logits changes nothing
 * @source Radford et al. 2021, figure 3
 */
export const matchingLoss = (logits: tf.Tensor): tf.Scalar => {
  const { b = 0 } = bindAxes("matchingLoss", { logits: [logits, "b b"] })
  const own = tf.range(0, b, 1, "int32")
  const byRow = tf.mean(crossEntropy(logits, own))
  const byColumn = tf.mean(crossEntropy(tf.transpose(logits), own))
  return tf.mul(tf.add(byRow, byColumn), 0.5)
}

/**
 * `matchingLoss` of e^logScale · cosines. Summing the gradients of parts of a batch, each with respect to its own features
 * and against the features of all, gives the gradient of the whole batch: no division by the number of parts.
 *
 * The scale is not clamped in here: a clamped scale has no gradient at the cap, and could never leave it.
 * @param images    float32  b j   of length 1
 * @param texts     float32  b j   of length 1; text i belongs to image i
 * @param logScale  float32        the logarithm of what cosines are multiplied with
 * @returns         float32        nat
 * @fails ShapeMismatch  axes that differ
 * @law   one rotation of both sides changes nothing
 * @law   it lies between 0 and ln(1 + (b − 1) e^(2 scale))
 * @source Radford et al. 2021, figure 3
 */
export const contrastiveLoss = (images: tf.Tensor, texts: tf.Tensor, logScale: tf.Tensor): tf.Scalar => {
  bindAxes("loss.clip", { images: [images, "b j"], texts: [texts, "b j"], logScale: [logScale, ""] })
  return matchingLoss(tf.mul(tf.matMul(images, texts, false, true), tf.exp(logScale)))
}

const features = tensor("float32", "b j", "unit-norm")

/** `loss.clip`: `images`, `texts`, `logScale` -> their symmetric contrastive loss. */
export const contrastiveNode = defineTensorNode({
  type: "loss.clip",
  version: 1,
  source: "Radford et al. 2021, figure 3",
  config: Schema.Struct({}),
  ports: () => ({
    in: { images: features, texts: features, logScale: tensor("float32", "", "ln") },
    out: tensor("float32", "", "nat"),
  }),
  apply: (_config, _params, { images, texts, logScale }) => contrastiveLoss(images, texts, logScale),
  laws: async () => (await import("../laws/imageNodeLaws.js")).contrastiveNodeLaws(),
})
