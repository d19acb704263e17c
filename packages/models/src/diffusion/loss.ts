import { stopGradient } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { bindAxes } from "../losses/shapes.js"
import { addNoise } from "./addNoise.js"
import { atTime } from "./atTime.js"
import { boundTerm } from "./bound.js"
import type { Diffusion } from "./diffusion.js"
import { errorWeights, type Parametrisation } from "./parametrisation.js"
import { reverse } from "./reverse.js"
import { splitOutput } from "./variance.js"
import { velocity } from "./velocity.js"

export const diffusionLosses = ["simple", "bound", "hybrid"] as const

export interface DiffusionLossConfig {
  /**
   * simple  the mean squared error of the prediction (Ho et al. 2020, eq. 14)
   * bound   an estimate of the bound's sum over all steps from this one: `steps` · its term
   * hybrid  simple + weight · bound, where the bound teaches the variance alone
   */
  readonly kind: (typeof diffusionLosses)[number]
  /** Of the bound in the hybrid loss; by default 0.001. */
  readonly weight?: number
  /** Whose squared error is measured; by default that of what is predicted. */
  readonly error?: Parametrisation
}

export interface DiffusionBatch {
  /** x₀. float32  b … */
  readonly data: tf.Tensor
  /** The noise that the network's input was made with, standard normal. float32  b … */
  readonly noise: tf.Tensor
  /** Steps of the schedule, each as likely as any other. int32  b */
  readonly time: tf.Tensor
}

export interface DiffusionLoss {
  readonly loss: tf.Scalar
  /** The mean squared error. */
  readonly simple: tf.Scalar
  /** The mean of the bound's terms at these times, bit / number. */
  readonly bound: tf.Scalar
}

/**
 * The loss of a network that was given x_t = `addNoise(schedule, data, noise, time)`.
 *
 * The bound is counted in bits and the squared error is not, so the weight of 0.001 is that of 0.001 / ln 2 in nats: this is
 * what openai/guided-diffusion does (`rescale_learned_sigmas`), and what GLIDE was trained with. Nichol and Dhariwal 2021
 * do not say.
 * @param output  float32  b … c, or b … (2 c) where the variance is learned
 * @fails ShapeMismatch  axes that differ; an output of the wrong number of channels
 * @law   a network that predicts the noise itself has a simple loss of 0
 * @law   the hybrid loss has the simple one's gradient by the prediction, and the bound's by the variance's channels
 * @source Ho et al. 2020, section 3.4; Nichol and Dhariwal 2021, eq. 16
 */
export const diffusionLoss = (
  diffusion: Diffusion,
  { data, noise, time }: DiffusionBatch,
  output: tf.Tensor,
  { kind, weight = 1e-3, error = diffusion.parametrisation }: DiffusionLossConfig,
): DiffusionLoss => {
  const { schedule, parametrisation, variance } = diffusion
  const axes = ["b", ...Array.from({ length: data.rank - 1 }, (_, i) => `x${i}`)].join(" ")
  bindAxes("diffusion.loss", { data: [data, axes], noise: [noise, axes], time: [time, "b"] })
  const noisy = addNoise(schedule, data, noise, time) // b …
  const { prediction, interpolation } = splitOutput(variance, output, data.shape.at(-1) ?? 0)

  const target =
    parametrisation === "noise" ? noise : parametrisation === "start" ? data : velocity(schedule, data, noise, time) // b …
  const squared = tf.square(tf.sub(target, prediction)) // b …
  const measured =
    error === parametrisation
      ? squared
      : tf.mul(squared, atTime(errorWeights(schedule, parametrisation, error), time, data.rank))
  const simple = tf.mean(measured) as tf.Scalar

  const seen = kind === "hybrid" ? stopGradient(prediction) : prediction
  const whole = interpolation === null ? seen : tf.concat([seen, interpolation], -1)
  const bound = tf.mean(
    boundTerm(schedule, data, noisy, time, reverse(diffusion, whole, noisy, time, null)),
  ) as tf.Scalar
  const total = tf.mul(bound, schedule.steps) as tf.Scalar
  const loss = { simple: () => simple, bound: () => total, hybrid: () => tf.add(simple, tf.mul(total, weight)) }[kind]()
  return { loss: loss as tf.Scalar, simple, bound }
}
