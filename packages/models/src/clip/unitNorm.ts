import * as tf from "@tensorflow/tfjs-core"

/**
 * Each row divided by its length. A row of zeros stays zeros.
 * @param x  float32  … j
 */
export const unitNorm = (x: tf.Tensor): tf.Tensor =>
  tf.div(x, tf.sqrt(tf.maximum(tf.sum(tf.square(x), -1, true), 1e-24)))
