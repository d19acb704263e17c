/** The variance of a denoising step p(x_{t−1} | x_t): fixed, or between two limits as a network says. */
import { ShapeMismatch } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { atTime } from "./atTime.js"
import type { NoiseSchedule } from "./schedule.js"

export const variances = ["fixed-small", "fixed-large", "learned-range"] as const
/**
 * fixed-small   β̃_t, best for data that is one point (Ho et al. 2020, section 3.2; Karlo's prior)
 * fixed-large   β_t, best for standard normal data (Ho et al. 2020)
 * learned-range between the two, by a second half of the network's channels (Nichol and Dhariwal 2021; GLIDE, unCLIP)
 */
export type Variance = (typeof variances)[number]

/** What a network's output holds. */
export interface SplitOutput {
  /** float32  b … c */
  readonly prediction: tf.Tensor
  /** Where a learned variance lies: −1 is β̃, 1 is β. float32  b … c; null where the variance is fixed. */
  readonly interpolation: tf.Tensor | null
}

/**
 * The prediction and the variance's channels: the first and the second half of the last axis.
 * @param output    float32  b … c, or b … (2 c) where the variance is learned
 * @param channels  c
 * @fails ShapeMismatch  another number of channels
 */
export const splitOutput = (variance: Variance, output: tf.Tensor, channels: number): SplitOutput => {
  const wanted = variance === "learned-range" ? 2 * channels : channels
  if (output.shape.at(-1) !== wanted) {
    throw new ShapeMismatch({
      where: "diffusion",
      expected: `an output of ${wanted} channels for data of ${channels} with the variance ${variance}`,
      received: `[${output.shape.join(", ")}]`,
      fix: "let the network give twice the data's channels where the variance is learned, and as many where it is fixed",
    })
  }
  if (variance !== "learned-range") return { prediction: output, interpolation: null }
  const [prediction, interpolation] = tf.split(output, 2, -1) as [tf.Tensor, tf.Tensor]
  return { prediction, interpolation }
}

/**
 * ln of the variance of each entry. The first step's β̃ is 0; the second step's stands in for it, in the fixed ones too.
 * @param interpolation  float32  b … c   v; f = (v + 1) / 2 is the share of ln β, 1 − f that of ln β̃; v is not bounded
 * @param time           int32    b
 * @returns              float32  b … c, or b 1 … where it is fixed
 * @law   learned, it lies between ln β̃ and ln β for v from −1 to 1
 * @source Nichol and Dhariwal 2021, eq. 15
 */
export const logVariance = (
  schedule: NoiseSchedule,
  variance: Variance,
  interpolation: tf.Tensor | null,
  time: tf.Tensor,
  rank: number,
): tf.Tensor => {
  const { beta, posteriorLogVariance } = schedule
  const small = atTime(posteriorLogVariance, time, rank) // b 1 …
  if (variance === "fixed-small") return small
  if (variance === "fixed-large") {
    // As in the code of Ho et al.: the first step keeps the small one.
    const large = beta.map((b, t) => (t === 0 ? posteriorLogVariance[0]! : Math.log(b)))
    return atTime(large, time, rank)
  }
  if (interpolation === null) throw new Error("internal: a learned variance without channels")
  const share = tf.div(tf.add(interpolation, 1), 2) // b … c
  return tf.add(tf.mul(share, atTime(beta.map(Math.log), time, rank)), tf.mul(tf.sub(1, share), small))
}
