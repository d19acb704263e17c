import * as tf from "@tensorflow/tfjs-core"
import { atLeastOne, type Mask, select } from "./masked.js"
import { preferredPairs } from "./ranking.js"
import { bindAxes } from "./shapes.js"

/**
 * The share of pairs, over all prompts, whose preferred answer has the higher reward. Equal rewards count one half;
 * ties of preference make no pair. Without any pair it is 0.
 * @param rewards     float32 b k   reward
 * @param preference  float32 b k   higher is better
 * @param mask        bool    b k
 * @returns           float32       [0,1]
 * @source Ouyang et al. 2022, appendix E.2
 */
export const rankingAccuracy = (rewards: tf.Tensor, preference: tf.Tensor, mask: Mask): tf.Scalar => {
  bindAxes("metric.rankingAccuracy", {
    rewards: [rewards, "b k"],
    preference: [preference, "b k"],
    ...(mask === undefined ? {} : { mask: [mask, "b k"] as const }),
  })
  const r = select(mask, rewards) // b k
  const pairs = preferredPairs(preference, mask) // b k k
  const higher = tf.cast(tf.greater(tf.expandDims(r, 2), tf.expandDims(r, 1)), "float32") // b k k
  const equal = tf.cast(tf.equal(tf.expandDims(r, 2), tf.expandDims(r, 1)), "float32") // b k k
  const right = tf.add(higher, tf.mul(0.5, equal))
  return tf.div(tf.sum(tf.mul(pairs, right)), atLeastOne(tf.sum(pairs)))
}
