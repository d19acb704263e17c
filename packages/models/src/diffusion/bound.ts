/** The terms of the variational bound on −log p(x₀), in bits for each number of the data. */
import * as tf from "@tensorflow/tfjs-core"
import { atTime } from "./atTime.js"
import { discretisedNormal } from "./discretisedNormal.js"
import { normalKl } from "./normalKl.js"
import { posteriorMean } from "./posterior.js"
import type { Reverse } from "./reverse.js"
import type { NoiseSchedule } from "./schedule.js"

/** The mean over all axes but the first, from nats to bits. b … -> b */
const bits = (nats: tf.Tensor): tf.Tensor => {
  const [b = 0] = nats.shape
  return tf.div(tf.mean(tf.reshape(nats, [b, -1]), 1), Math.LN2)
}

/**
 * One term for each row: KL(q(x_{t−1} | x_t, x₀) ‖ p(x_{t−1} | x_t)) for a step after the first, −log p(x₀ | x₁) of 8-bit
 * data for the first.
 * @param data   float32  b …   x₀; in [−1, 1] where the time is 0
 * @param noisy  float32  b …   x_t
 * @param time   int32    b
 * @returns      float32  b     bit / number
 * @source Ho et al. 2020, eq. 5; Nichol and Dhariwal 2021, eq. 4 to 7
 */
export const boundTerm = (
  schedule: NoiseSchedule,
  data: tf.Tensor,
  noisy: tf.Tensor,
  time: tf.Tensor,
  { mean, logVariance }: Pick<Reverse, "mean" | "logVariance">,
): tf.Tensor => {
  const posterior = {
    mean: posteriorMean(schedule, data, noisy, time),
    logVariance: atTime(schedule.posteriorLogVariance, time, data.rank),
  }
  const later = normalKl(posterior, { mean, logVariance })
  const first = tf.neg(discretisedNormal(data, { mean, logVariance }))
  return tf.where(tf.equal(time, tf.zerosLike(time)), bits(first), bits(later))
}

/**
 * What the last step has left of the data: KL(q(x_T | x₀) ‖ N(0, 1)), for each row. No network can change it.
 * @param data  float32  b …
 * @returns     float32  b     bit / number
 */
export const priorTerm = (schedule: NoiseSchedule, data: tf.Tensor): tf.Tensor => {
  const left = schedule.alphaBar.at(-1) ?? 1
  const last = { mean: tf.mul(data, Math.sqrt(left)), logVariance: tf.scalar(Math.log(1 - left)) }
  return bits(normalKl(last, { mean: tf.scalar(0), logVariance: tf.scalar(0) }))
}
