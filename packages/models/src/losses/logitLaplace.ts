import * as tf from "@tensorflow/tfjs-core"
import { bindAxes } from "./shapes.js"

/**
 * The negative logarithm of the logit-Laplace density, of each number by itself: x = sigmoid(l) with l of a Laplace
 * distribution of location μ and scale b, so that
 *
 *   −ln f(x) = |logit x − μ| / b + ln b + ln 2 + ln x + ln(1 − x)
 *
 * @param x         float32  b y x c   in (0, 1), for pixels what `mapPixels` gives
 * @param mean      float32  b y x c   μ
 * @param logWidth  float32  b y x c   ln b
 * @returns         float32  b y x c   nat
 * @fails ShapeMismatch  axes that differ
 * @law   the density integrates to 1
 * @law   is least in μ at logit x, and in b at |logit x − μ|
 * @source Ramesh et al. 2021, equation 2
 */
export const logitLaplace = (x: tf.Tensor, mean: tf.Tensor, logWidth: tf.Tensor): tf.Tensor => {
  bindAxes("logitLaplace", { x: [x, "b y x c"], mean: [mean, "b y x c"], logWidth: [logWidth, "b y x c"] })
  const rest = tf.sub(1, x)
  const distance = tf.abs(tf.sub(tf.log(tf.div(x, rest)), mean))
  return tf.add(tf.mul(distance, tf.exp(tf.neg(logWidth))), tf.add(logWidth, tf.log(tf.mul(tf.mul(x, rest), 2))))
}
