/** The affine map of the last axis. */
import * as tf from "@tensorflow/tfjs-core"
import { differentiable, runFused } from "./differentiable.js"

/**
 * x · w + b, as one matrix product over all leading axes.
 * @param x  [..., d]
 * @param w  [d, f]
 * @param b  [f]
 * @returns  [..., f]
 */
export const linear = (x: tf.Tensor, w: tf.Tensor, b?: tf.Tensor): tf.Tensor => {
  const [from, to] = w.shape as [number, number]
  const rows = tf.reshape(x, [-1, from])
  const y = differentiable(
    b === undefined ? [rows, w] : [rows, w, b],
    (save) => {
      save([rows, w])
      if (b === undefined) return tf.matMul(rows, w)
      const product = { transposeA: false, transposeB: false, activation: "linear" }
      return runFused("_FusedMatMul", { a: rows, b: w, bias: b }, product)[0]!
    },
    (dy, saved) => {
      const [input, weight] = saved as [tf.Tensor, tf.Tensor]
      const products = [tf.matMul(dy, weight, false, true), tf.matMul(input, dy, true, false)]
      return b === undefined ? products : [...products, tf.sum(dy, 0)]
    },
    { op: "Linear" },
  )
  return tf.reshape(y, [...x.shape.slice(0, -1), to])
}
