/** Guidance by the gradient of another model's log-probability of what is wanted: a classifier's, or CLIP's. */
import * as tf from "@tensorflow/tfjs-core"
import { atTime } from "./atTime.js"
import type { Reverse } from "./reverse.js"
import type { NoiseSchedule } from "./schedule.js"

/**
 * An ancestral step's distribution moved up a gradient: μ + s Σ ∇.
 * @param gradient  ∇ log p(wanted | x_t) by x_t   float32  b …
 * @source Dhariwal and Nichol 2021, algorithm 1
 */
export const guideMean = (step: Reverse, gradient: tf.Tensor, scale: number): Reverse => ({
  ...step,
  mean: tf.add(step.mean, tf.mul(tf.mul(tf.exp(step.logVariance), gradient), scale)),
})

/**
 * Predicted noise moved down a gradient: ε̂ − s √(1 − ᾱ) ∇, which is the score's s ∇. For DDIM steps.
 * @param noise     ε̂                             float32  b …
 * @param gradient  ∇ log p(wanted | x_t) by x_t   float32  b …
 * @param time      int32  b   steps of the schedule
 * @source Dhariwal and Nichol 2021, algorithm 2
 */
export const guideNoise = (
  schedule: NoiseSchedule,
  noise: tf.Tensor,
  gradient: tf.Tensor,
  time: tf.Tensor,
  scale: number,
): tf.Tensor => {
  const spread = schedule.alphaBar.map((a) => Math.sqrt(1 - a))
  return tf.sub(noise, tf.mul(tf.mul(gradient, atTime(spread, time, noise.rank)), scale))
}
