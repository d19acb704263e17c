/**
 * The gradient of relu: dy where the result is above zero, else 0. tfjs's own asks the input, which then has to be kept
 * beside the result, and takes a step function that keeps what is not a number.
 */
import * as tf from "@tensorflow/tfjs-core"

/** Replaces tfjs's gradient. */
export const registerReluGradient = (): void => {
  tf.unregisterGradient("Relu")
  tf.registerGradient({
    kernelName: "Relu",
    outputsToSave: [true],
    gradFunc: (dy, [y]) => {
      if (Array.isArray(dy) || y === undefined) throw new Error("internal: malformed Relu")
      return { x: () => tf.mul(dy, tf.cast(tf.greater(y, 0), "float32")) }
    },
  })
}
