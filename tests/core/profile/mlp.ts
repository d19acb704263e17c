/** A small tensor function with nodes of unequal weight, for profiles. */
import { spec, type TensorFunction, withPath } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"

const [rows, width] = [256, 256]

/** One node multiplies matrices eight times, the other once; what comes after them is of no node. */
export const unequal: TensorFunction = {
  name: "unequal",
  state: { params: { weight: spec("float32", [width, width]) } },
  inputs: { x: spec("float32", [rows, width]) },
  body: ({ params }, { x }) => {
    const weight = params!.weight! as tf.Tensor2D
    const product = (y: tf.Tensor): tf.Tensor => tf.matMul(y as tf.Tensor2D, weight)
    const light = withPath("light", () => tf.tanh(product(x!)))
    const heavy = withPath("heavy", () => {
      let y = light
      for (let i = 0; i < 4; i++) y = withPath("first", () => tf.tanh(product(y)))
      for (let i = 0; i < 4; i++) y = withPath("second", () => tf.sin(product(y)))
      return y
    })
    return { outputs: { mean: tf.mean(heavy) }, state: { params: { weight: tf.mul(weight, 0.999) } } }
  },
}

export const products = 9
export const flopsOfOne = 2 * rows * width * width
