import * as tf from "@tensorflow/tfjs-core"
import { atTime } from "./atTime.js"
import type { NoiseSchedule } from "./schedule.js"

/**
 * The mean of q(x_{t−1} | x_t, x₀): (√ᾱ_{t−1} β_t x₀ + √α_t (1 − ᾱ_{t−1}) x_t) / (1 − ᾱ_t). Its variance is the schedule's
 * `posteriorVariance`.
 * @param start  float32  b …   x₀, or what a network takes it for
 * @param noisy  float32  b …   x_t
 * @param time   int32    b     steps of the schedule
 * @returns      float32  b …
 * @law   its two factors add up: c₁ + c₂ √ᾱ_t = √ᾱ_{t−1}
 * @source Ho et al. 2020, eq. 7
 */
export const posteriorMean = (
  schedule: NoiseSchedule,
  start: tf.Tensor,
  noisy: tf.Tensor,
  time: tf.Tensor,
): tf.Tensor => {
  const { beta, alphaBar, alphaBarBefore } = schedule
  const ofStart = beta.map((b, t) => (Math.sqrt(alphaBarBefore[t]!) * b) / (1 - alphaBar[t]!))
  const ofNoisy = beta.map((b, t) => (Math.sqrt(1 - b) * (1 - alphaBarBefore[t]!)) / (1 - alphaBar[t]!))
  return tf.add(tf.mul(start, atTime(ofStart, time, start.rank)), tf.mul(noisy, atTime(ofNoisy, time, start.rank)))
}
