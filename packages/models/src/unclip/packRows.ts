import * as tf from "@tensorflow/tfjs-core"

/**
 * The rows that are seen, moved to the front in their order; zeros after them. The positions that they had are theirs still,
 * so that nothing that sees them can tell.
 * @param rows  float32  b s d
 * @param seen  1 or 0   float32  b s
 * @returns     float32  b s d
 */
export const packRows = (rows: tf.Tensor, seen: tf.Tensor): tf.Tensor => {
  const [b = 0, s = 0] = seen.shape
  const to = tf.reshape(tf.cumsum(seen, 1, true), [b, 1, s]) // b 1 s
  const here = tf.equal(to, tf.reshape(tf.range(0, s), [1, s, 1])) // b s s
  return tf.matMul(tf.mul(tf.cast(here, "float32"), tf.reshape(seen, [b, 1, s])), rows)
}
