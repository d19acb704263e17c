import { logSoftmax } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"

/**
 * KL(q‖uniform) = ln k − entropy of q = softmax(logits). No temperature and no noise take part.
 * @param logits  float32  … k
 * @returns       float32  …     nat, in 0 … ln k
 * @law   is 0 for equal logits and ln k for a single great one
 * @source Ramesh et al. 2021, section 2.1: the prior over codes is uniform
 */
export const uniformKl = (logits: tf.Tensor): tf.Tensor => {
  const logProbs = logSoftmax(logits) // … k
  return tf.add(tf.sum(tf.mul(tf.exp(logProbs), logProbs), -1), Math.log(logits.shape.at(-1) ?? 1))
}
