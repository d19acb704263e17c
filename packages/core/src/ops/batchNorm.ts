/** Batch normalisation with the moments of the batch. */
import * as tf from "@tensorflow/tfjs-core"
import { differentiable } from "./differentiable.js"

export interface BatchNorm {
  /** The shape of x. */
  readonly y: tf.Tensor
  /** The moments of the batch [c], for running averages. The variance is the biased one. */
  readonly mean: tf.Tensor1D
  readonly variance: tf.Tensor1D
}

/**
 * (x − mean) / √(variance + epsilon) · gain + bias, with the moments of all axes but the last.
 * @param x     [..., c]
 * @param gain  [c]
 * @param bias  [c]
 * @source      Ioffe and Szegedy 2015, algorithm 1
 */
export const batchNorm = (x: tf.Tensor, gain: tf.Tensor1D, bias: tf.Tensor1D, epsilon = 1e-5): BatchNorm => {
  const axes = x.shape.slice(0, -1).map((_, axis) => axis)
  const count = x.size / gain.size
  const mean = tf.mean(x, axes) as tf.Tensor1D
  const centred = tf.sub(x, mean)
  const variance = tf.mean(tf.square(centred), axes) as tf.Tensor1D
  const y = differentiable(
    [x, gain, bias],
    (save) => {
      const invStd = tf.rsqrt(tf.add(variance, epsilon))
      save([centred, gain, invStd])
      return tf.add(tf.mul(centred, tf.mul(invStd, gain)), bias)
    },
    // With u = (x − mean) · invStd:  dx = gain · invStd · (dy − mean(dy) − u · mean(dy · u)).
    (dy, saved) => {
      const [from, scale, invStd] = saved as [tf.Tensor, tf.Tensor, tf.Tensor]
      const dbias = tf.sum(dy, axes)
      const dgain = tf.mul(tf.sum(tf.mul(dy, from), axes), invStd)
      const slope = tf.mul(scale, invStd)
      const level = tf.mul(slope, tf.div(dbias, count))
      const tilt = tf.mul(tf.mul(slope, invStd), tf.div(dgain, count))
      const dx = tf.sub(tf.sub(tf.mul(dy, slope), tf.mul(from, tilt)), level)
      return [dx, dgain, dbias]
    },
  )
  return { y, mean, variance }
}
