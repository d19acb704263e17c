import * as tf from "@tensorflow/tfjs-core"

/** The same values; to a gradient, constants. */
export const stopGradient = (x: tf.Tensor): tf.Tensor =>
  tf.customGrad((value) => ({ value: (value as tf.Tensor).clone(), gradFunc: (dy) => tf.zerosLike(dy as tf.Tensor) }))(
    x,
  )
