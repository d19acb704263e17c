/** Layer normalisation. */
import * as tf from "@tensorflow/tfjs-core"
import { differentiable, runFused } from "./differentiable.js"

/**
 * (x − mean) / √(variance + epsilon) · gain + bias, with the moments of the last axis.
 * @param x     [..., d]
 * @param gain  [d]
 * @param bias  [d]
 * @source      Ba, Kiros and Hinton 2016, eq. 3
 */
export const layerNorm = (x: tf.Tensor, gain: tf.Tensor1D, bias: tf.Tensor1D, epsilon = 1e-5): tf.Tensor => {
  const width = gain.size
  const rows = tf.reshape(x, [-1, width])
  const y = differentiable(
    [rows, gain, bias],
    (save) => {
      const [value, mean, invStd] = runFused("LayerNorm", { x: rows, gain, bias }, { epsilon })
      save([rows, gain, mean!, invStd!])
      return value!
    },
    // With u = (x − mean) · invStd and g = dy · gain:  dx = invStd · (g − mean(g) − u · mean(g · u)).
    // Both means are matrix-vector products: they read a matrix and write no more than a column.
    (dy, saved) => {
      const [from, scale, mean, invStd] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
      const u = tf.mul(tf.sub(from, mean), invStd)
      const dyu = tf.mul(dy, u)
      const weights = tf.div(tf.reshape(scale, [width, 1]), width)
      const [meanG, meanGu] = [tf.matMul(dy, weights), tf.matMul(dyu, weights)]
      const dx = tf.mul(tf.sub(tf.sub(tf.mul(dy, scale), meanG), tf.mul(u, meanGu)), invStd)
      return [dx, tf.sum(dyu, 0), tf.sum(dy, 0)]
    },
    { op: "LayerNorm", attrs: { epsilon } },
  )
  return tf.reshape(y, x.shape)
}
