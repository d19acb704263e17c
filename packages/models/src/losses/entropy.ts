import { logSoftmax } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { type Mask, select } from "./masked.js"
import { bindAxes } from "./shapes.js"
import { support } from "./support.js"

/**
 * Entropy of the next-token distribution at each position; 0 where masked. Excluded tokens (logit −∞) add nothing.
 * @param logits  float32 b t v   logit
 * @param mask    bool    b t
 * @returns       float32 b t     nat
 * @law   between 0 and ln v; ln v for equal logits
 */
export const entropy = (logits: tf.Tensor, mask: Mask): tf.Tensor => {
  bindAxes("entropy", {
    logits: [logits, "b t v"],
    ...(mask === undefined ? {} : { mask: [mask, "b t"] as const }),
  })
  const logP = logSoftmax(select(mask, logits)) // b t v
  const surprise = tf.where(support(logP), tf.neg(logP), tf.zerosLike(logP)) // b t v
  return select(mask, tf.sum(tf.mul(tf.exp(logP), surprise), -1))
}
