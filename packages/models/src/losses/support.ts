import * as tf from "@tensorflow/tfjs-core"

/**
 * Which tokens a distribution can give, from its log-probabilities: true where exp(log p) > 0. A condition, so it has
 * no gradient; a comparison on the tape would be an error.
 */
export const support: (logP: tf.Tensor) => tf.Tensor = tf.customGrad((...args) => ({
  value: tf.greater(tf.exp(args[0] as tf.Tensor), 0),
  gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
}))
