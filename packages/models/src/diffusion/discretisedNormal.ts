import * as tf from "@tensorflow/tfjs-core"
import type { Normal } from "./normalKl.js"

/**
 * The standard normal distribution function by its tanh approximation, ½ (1 + tanh √(2/π) (x + 0.044715 x³)), written as
 * 1 / (1 + e^−2…): small probabilities keep their digits. Beyond e⁻⁴⁰ all are one.
 */
const cumulative = (x: tf.Tensor): tf.Tensor => {
  const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), 2 * Math.sqrt(2 / Math.PI))
  return tf.div(1, tf.add(1, tf.exp(tf.minimum(tf.neg(inner), 40))))
}

const half = 1 / 255
const log = (probability: tf.Tensor): tf.Tensor => tf.log(tf.maximum(probability, 1e-12))

/**
 * The log-probability of 8-bit data under a normal distribution, for each entry, in nats: its mass within 1/255 of a value;
 * the outermost of the 256 values get all that lies beyond them.
 * @param data  float32  b …   in [−1, 1], multiples of 2/255
 * @returns     float32  b …   at least ln 10⁻¹²
 * @law   the probabilities of the 256 values add up to 1
 * @source Ho et al. 2020, eq. 13; the tanh approximation and the floor are openai/guided-diffusion's
 */
export const discretisedNormal = (data: tf.Tensor, { mean, logVariance }: Normal): tf.Tensor => {
  const precision = tf.exp(tf.mul(logVariance, -0.5))
  const centred = tf.sub(data, mean)
  const cdf = (to: tf.Tensor): tf.Tensor => cumulative(tf.mul(to, precision))
  const below = log(cdf(tf.add(centred, half)))
  const above = log(cdf(tf.neg(tf.sub(centred, half))))
  // Of the two tails, which are equal, the lower one, where the difference does not cancel.
  const distance = tf.neg(tf.abs(centred))
  const between = log(tf.sub(cdf(tf.add(distance, half)), cdf(tf.sub(distance, half))))
  return tf.where(tf.less(data, -0.999), below, tf.where(tf.greater(data, 0.999), above, between))
}
