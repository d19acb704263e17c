import { logSoftmax } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { type Mask, select } from "./masked.js"
import { bindAxes } from "./shapes.js"
import { support } from "./support.js"

/**
 * KL(policy ‖ reference) of the whole next-token distribution at each position; 0 where masked.
 * Tokens that the policy excludes (logit −∞) add nothing. The KL of a sequence is the sum of these (`maskedSum`),
 * in the mean over sampled sequences.
 * @param logits     float32 b t v   logit   of the policy
 * @param reference  float32 b t v   logit
 * @param mask       bool    b t
 * @returns          float32 b t     nat
 * @law   never negative; 0 only for equal distributions
 */
export const exactKl = (logits: tf.Tensor, reference: tf.Tensor, mask: Mask): tf.Tensor => {
  bindAxes("kl.exact", {
    logits: [logits, "b t v"],
    reference: [reference, "b t v"],
    ...(mask === undefined ? {} : { mask: [mask, "b t"] as const }),
  })
  const p = logSoftmax(select(mask, logits)) // b t v
  const q = logSoftmax(select(mask, reference)) // b t v
  const gap = tf.where(support(p), tf.sub(p, q), tf.zerosLike(p)) // b t v
  return tf.sum(tf.mul(tf.exp(p), gap), -1)
}
