/** Denoising diffusion implicit models: steps that need no noise, forwards and backwards. */
import * as tf from "@tensorflow/tfjs-core"
import { atTime } from "./atTime.js"
import { convertPrediction } from "./parametrisation.js"
import type { NoiseSchedule } from "./schedule.js"

/** The noise that a start stands for. Of a start that was clamped it is another one than was predicted. */
const noiseOf = (schedule: NoiseSchedule, start: tf.Tensor, noisy: tf.Tensor, time: tf.Tensor): tf.Tensor =>
  convertPrediction(schedule, { from: "start", to: "noise" }, start, noisy, time)

/**
 * The variance of a step: η² β̃.
 * @source Song et al. 2021, eq. 16
 */
const stepVariance = ({ posteriorVariance }: NoiseSchedule, eta: number): Float64Array =>
  posteriorVariance.map((variance) => eta ** 2 * variance)

/**
 * x_{t−1} = √ᾱ_{t−1} x̂₀ + √(1 − ᾱ_{t−1} − σ²) ε̂ + σ ξ.
 *
 * ε̂ is taken from x̂₀, so after clamping, as in openai/guided-diffusion; diffusers does so with
 * `use_clipped_model_output`.
 * @param start  float32  b …   x̂₀, from `reverse`
 * @param noisy  float32  b …   x_t
 * @param time   int32    b     steps of the schedule
 * @param eta    0 is deterministic, 1 has the variance of an ancestral step with fixed-small
 * @param noise  float32  b …   ξ, standard normal; null where η is 0
 * @returns      float32  b …   x_{t−1}
 * @law   η = 1 has the mean and the variance of q(x_{t−1} | x_t, x̂₀)
 * @source Song et al. 2021, eq. 12
 */
export const ddimStep = (
  schedule: NoiseSchedule,
  start: tf.Tensor,
  noisy: tf.Tensor,
  time: tf.Tensor,
  eta: number,
  noise: tf.Tensor | null,
): tf.Tensor => {
  const variance = stepVariance(schedule, eta)
  const ofStart = schedule.alphaBarBefore.map(Math.sqrt)
  // Rounding may leave less than nothing at the first step.
  const ofNoise = schedule.alphaBarBefore.map((before, t) => Math.sqrt(Math.max(1 - before - variance[t]!, 0)))
  const mean = tf.add(
    tf.mul(start, atTime(ofStart, time, start.rank)),
    tf.mul(noiseOf(schedule, start, noisy, time), atTime(ofNoise, time, start.rank)),
  )
  if (noise === null) return mean
  return tf.add(mean, tf.mul(noise, atTime(variance.map(Math.sqrt), time, start.rank)))
}

/**
 * The way back, from data to the noise that `ddimStep` with η = 0 makes it of: x_{t+1} = √ᾱ_{t+1} x̂₀ + √(1 − ᾱ_{t+1}) ε̂.
 * After the last step nothing but noise is left.
 * @param start  float32  b …   x̂₀, from `reverse`
 * @param noisy  float32  b …   x_t
 * @param time   int32    b     steps of the schedule
 * @returns      float32  b …   x_{t+1}
 * @law   with the same noise predicted again, `ddimStep` undoes it
 * @source Song et al. 2021, section 4.3; Dhariwal and Nichol 2021, appendix F
 */
export const ddimInverseStep = (
  schedule: NoiseSchedule,
  start: tf.Tensor,
  noisy: tf.Tensor,
  time: tf.Tensor,
): tf.Tensor =>
  tf.add(
    tf.mul(start, atTime(schedule.alphaBarAfter.map(Math.sqrt), time, start.rank)),
    tf.mul(
      noiseOf(schedule, start, noisy, time),
      atTime(
        schedule.alphaBarAfter.map((after) => Math.sqrt(1 - after)),
        time,
        start.rank,
      ),
    ),
  )
