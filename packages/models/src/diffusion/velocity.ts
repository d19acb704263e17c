import * as tf from "@tensorflow/tfjs-core"
import { atTime } from "./atTime.js"
import type { NoiseSchedule } from "./schedule.js"

/**
 * v = √ᾱ_t ε − √(1 − ᾱ_t) x₀: what a network learns to predict that predicts velocities. From both of its parts, so that
 * it is exact where next to nothing of the data is left.
 * @param data   float32  b …   x₀
 * @param noise  float32  b …   ε
 * @param time   int32    b     steps of the schedule
 * @returns      float32  b …
 * @source Salimans and Ho 2022, section 4
 */
export const velocity = (schedule: NoiseSchedule, data: tf.Tensor, noise: tf.Tensor, time: tf.Tensor): tf.Tensor => {
  const left = atTime(schedule.alphaBar.map(Math.sqrt), time, data.rank) // b 1 …
  const added = atTime(
    schedule.alphaBar.map((a) => Math.sqrt(1 - a)),
    time,
    data.rank,
  ) // b 1 …
  return tf.sub(tf.mul(noise, left), tf.mul(data, added))
}
