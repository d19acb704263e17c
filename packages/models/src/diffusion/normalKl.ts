import * as tf from "@tensorflow/tfjs-core"

/** A normal distribution for each entry. */
export interface Normal {
  readonly mean: tf.Tensor
  /** ln of the variance */
  readonly logVariance: tf.Tensor
}

/**
 * KL(p ‖ q) of two normal distributions, for each entry, in nats. Shapes broadcast.
 * @law   it is at least 0, and 0 for equal distributions alone
 */
export const normalKl = (p: Normal, q: Normal): tf.Tensor => {
  const gap = tf.sub(p.logVariance, q.logVariance)
  const moved = tf.mul(tf.square(tf.sub(p.mean, q.mean)), tf.exp(tf.neg(q.logVariance)))
  return tf.mul(tf.add(tf.sub(tf.sub(tf.exp(gap), gap), 1), moved), 0.5)
}
