import * as tf from "@tensorflow/tfjs-core"
import { atTime } from "./atTime.js"
import type { NoiseSchedule } from "./schedule.js"

/**
 * The forward process at once, q(x_t | x₀): √ᾱ_t x₀ + √(1 − ᾱ_t) ε.
 * @param data   float32  b …
 * @param noise  float32  b …   standard normal
 * @param time   int32    b     steps of the schedule
 * @returns      float32  b …
 * @source Ho et al. 2020, eq. 4
 */
export const addNoise = (schedule: NoiseSchedule, data: tf.Tensor, noise: tf.Tensor, time: tf.Tensor): tf.Tensor => {
  const left = atTime(schedule.alphaBar.map(Math.sqrt), time, data.rank) // b 1 …
  const added = atTime(
    schedule.alphaBar.map((a) => Math.sqrt(1 - a)),
    time,
    data.rank,
  ) // b 1 …
  return tf.add(tf.mul(data, left), tf.mul(noise, added))
}
