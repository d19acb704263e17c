import * as tf from "@tensorflow/tfjs-core"

/** Below this angle a sphere is flat in float32: sin x = x. */
const flat = 1e-3

/**
 * Spherical interpolation: the point at a share of the way from one vector to another along the great circle, row by row.
 * Unit vectors give unit vectors. Of opposite ones the way is not defined: the result is some vector between them.
 *
 * The angle is that of the directions; the vectors keep their lengths, so that noise can be interpolated as it is.
 * @param a      float32  … d    not 0
 * @param b      float32  … d    not 0
 * @param share  in [0, 1]; a number, or float32 … 1
 * @returns      float32  … d
 * @law   share 0 gives a, share 1 gives b, and slerp(a, b, θ) = slerp(b, a, 1 − θ)
 * @source Shoemake 1985; Ramesh et al. 2022, sections 3.2 and 3.3
 */
export const slerp = (a: tf.Tensor, b: tf.Tensor, share: tf.Tensor | number): tf.Tensor => {
  // Never 0, where a root has no gradient: the angle of a vector with itself is 0 and stays so.
  const length = (x: tf.Tensor): tf.Tensor => tf.sqrt(tf.maximum(tf.sum(tf.square(x), -1, true), 1e-30)) // … 1
  const [from, to] = [tf.div(a, length(a)), tf.div(b, length(b))]
  // Of small and of nearly flat angles alike this keeps every digit, which the arc cosine of a product does not.
  const angle = tf.mul(tf.atan2(length(tf.sub(from, to)), length(tf.add(from, to))), 2) // … 1
  const isFlat = tf.less(angle, flat)
  const safe = tf.where(isFlat, tf.onesLike(angle), angle)
  const part = (of: tf.Tensor | number): tf.Tensor =>
    tf.where(isFlat, tf.mul(tf.onesLike(angle), of), tf.div(tf.sin(tf.mul(safe, of)), tf.sin(safe))) // … 1
  return tf.add(tf.mul(a, part(tf.sub(1, share))), tf.mul(b, part(share)))
}
