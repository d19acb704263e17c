import * as tf from "@tensorflow/tfjs-core"
import type { Reverse } from "./reverse.js"

/**
 * An ancestral step: a sample of p(x_{t−1} | x_t), or its mean at the first step.
 * @param noise  float32  b …   standard normal
 * @param time   int32    b     steps of the schedule
 * @returns      float32  b …   x_{t−1}
 * @law   a schedule of one step gives the start
 * @source Ho et al. 2020, algorithm 2
 */
export const ddpmStep = ({ mean, logVariance }: Reverse, noise: tf.Tensor, time: tf.Tensor): tf.Tensor => {
  const later = tf.cast(tf.greater(time, tf.zerosLike(time)), "float32") // b
  const moves = tf.reshape(later, [time.shape[0] ?? 1, ...Array<number>(mean.rank - 1).fill(1)]) // b 1 …
  return tf.add(mean, tf.mul(tf.mul(moves, tf.exp(tf.mul(logVariance, 0.5))), noise))
}
