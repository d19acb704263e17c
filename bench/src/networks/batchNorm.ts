import * as tf from "@tensorflow/tfjs-core"

/**
 * Batch norm in training mode: each channel with the mean and the variance of this batch.
 * @param x  float32  b y x c
 * @returns  float32  b y x c
 */
export const batchNorm = (x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor, epsilon: number): tf.Tensor => {
  const mean = tf.mean(x, [0, 1, 2]) // c
  const centred = tf.sub(x, mean)
  const variance = tf.mean(tf.square(centred), [0, 1, 2]) // c
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), gain), bias)
}
