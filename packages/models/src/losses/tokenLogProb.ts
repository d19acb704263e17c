import * as tf from "@tensorflow/tfjs-core"
import { type Mask, select } from "./masked.js"
import { bindAxes } from "./shapes.js"

/**
 * The log-probability of each token under the logits of the same position; 0 where masked.
 * To score a text by a causal model use `nextTokenLogProb`.
 * @param logits  float32 b t v
 * @param tokens  int32   b t    masked ones may be any number
 * @param mask    bool    b t
 * @returns       float32 b t    nat
 */
export const tokenLogProb = (logits: tf.Tensor, tokens: tf.Tensor, mask?: Mask): tf.Tensor => {
  bindAxes("tokenLogProb", {
    logits: [logits, "b t v"],
    tokens: [tokens, "b t"],
    ...(mask === undefined ? {} : { mask: [mask, "b t"] as const }),
  })
  return select(mask, tf.neg(crossEntropy(select(mask, logits), select(mask, tokens))))
}

/**
 * The log-probability of each token but the first, given those before it: entry i scores token i + 1.
 * @param logits  float32 b t v    those of position i predict token i + 1
 * @param tokens  int32   b t
 * @param mask    bool    b t      of the predicted tokens; its first column is not read
 * @returns       float32 b t−1    nat
 */
export const nextTokenLogProb = (logits: tf.Tensor, tokens: tf.Tensor, mask?: Mask): tf.Tensor => {
  bindAxes("nextTokenLogProb", {
    logits: [logits, "b t v"],
    tokens: [tokens, "b t"],
    ...(mask === undefined ? {} : { mask: [mask, "b t"] as const }),
  })
  const [b, t, v] = logits.shape as [number, number, number]
  return tokenLogProb(
    tf.slice(logits, [0, 0, 0], [b, t - 1, v]),
    tf.slice(tokens, [0, 1], [b, t - 1]),
    mask === undefined ? undefined : tf.slice(mask, [0, 1], [b, t - 1]),
  )
}

/** −log softmax(logits)[label] at each position. */
const crossEntropy = (logits: tf.Tensor, labels: tf.Tensor): tf.Tensor =>
  tf.neg(tf.sum(tf.mul(tf.oneHot(tf.cast(labels, "int32"), logits.shape.at(-1)!), tf.logSoftmax(logits)), -1))
