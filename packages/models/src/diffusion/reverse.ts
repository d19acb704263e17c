import * as tf from "@tensorflow/tfjs-core"
import type { Diffusion } from "./diffusion.js"
import { convertPrediction } from "./parametrisation.js"
import { posteriorMean } from "./posterior.js"
import { logVariance, splitOutput } from "./variance.js"

/** What a network makes of noisy data: p(x_{t−1} | x_t), and the start that it sees in it. */
export interface Reverse {
  /** x̂₀. float32  b … */
  readonly start: tf.Tensor
  /** float32  b … */
  readonly mean: tf.Tensor
  /** ln of the variance. float32  b …, or b 1 … where it is fixed */
  readonly logVariance: tf.Tensor
}

/**
 * p(x_{t−1} | x_t) from a network's output.
 * @param output  float32  b …   the last axis twice as long where the variance is learned
 * @param noisy   float32  b …   x_t
 * @param time    int32    b     steps of the schedule
 * @param clamp   the start is kept within ±clamp: 1 for images, 10 for the embeddings of Karlo's prior. Null leaves it
 */
export const reverse = (
  { schedule, parametrisation, variance }: Diffusion,
  output: tf.Tensor,
  noisy: tf.Tensor,
  time: tf.Tensor,
  clamp: number | null,
): Reverse => {
  const { prediction, interpolation } = splitOutput(variance, output, noisy.shape.at(-1) ?? 0)
  const free = convertPrediction(schedule, { from: parametrisation, to: "start" }, prediction, noisy, time)
  const start = clamp === null ? free : tf.clipByValue(free, -clamp, clamp)
  return {
    start,
    mean: posteriorMean(schedule, start, noisy, time),
    logVariance: logVariance(schedule, variance, interpolation, time, noisy.rank),
  }
}
