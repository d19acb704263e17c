/**
 * Gradients of kernels with two operands, summed over what was broadcast. tfjs's own of maximum, minimum and
 * squaredDifference keep the shape of the result and fail where an operand is smaller.
 */
import * as tf from "@tensorflow/tfjs-core"

type Slope = (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor

const summed = (dy: tf.Tensor, { shape }: tf.Tensor): tf.Tensor => {
  const axes = tf.broadcast_util.getReductionAxes(shape, dy.shape)
  return axes.length === 0 ? dy : tf.reshape(tf.sum(dy, axes), shape)
}

const picked = (where: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Slope => {
  return (dy, a, b) => tf.mul(dy, tf.cast(where(a, b), "float32"))
}

/** Where both are equal, the first operand gets the gradient. */
const slopes: Readonly<Record<string, readonly [Slope, Slope]>> = {
  Maximum: [picked(tf.greaterEqual), picked(tf.less)],
  Minimum: [picked(tf.lessEqual), picked(tf.greater)],
  SquaredDifference: [
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(a, b), 2)),
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(b, a), 2)),
  ],
}

/** Replaces tfjs's gradients. */
export const registerBroadcastGradients = (): void => {
  for (const [kernelName, [first, second]] of Object.entries(slopes)) {
    tf.unregisterGradient(kernelName)
    tf.registerGradient({
      kernelName,
      inputsToSave: ["a", "b"],
      gradFunc: (dy, [a, b]) => {
        if (Array.isArray(dy) || a === undefined || b === undefined)
          throw new Error(`internal: malformed ${kernelName}`)
        return { a: () => summed(first(dy, a, b), a), b: () => summed(second(dy, a, b), b) }
      },
    })
  }
}
