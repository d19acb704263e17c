/** Negative log-likelihood of labels, with SparseSoftmaxCrossEntropyWithLogits. */
import * as tf from "@tensorflow/tfjs-core"
import type { Row } from "./row.js"

/** One operation gives the loss of every row and its gradient. */
export const crossEntropyRow: Row = {
  name: "CrossEntropy",
  raw: ["SparseSoftmaxCrossEntropyWithLogits"],
  differentiable: (raw) => ({
    forward: ([rows, labels]) => {
      const flat = tf.cast(tf.reshape(labels!, [-1]), "int32")
      const [loss, slope] = raw("SparseSoftmaxCrossEntropyWithLogits", [rows!, flat], {}, 2)
      return { value: loss!, saved: [slope!] }
    },
    backward: (dy, [slope]) => [tf.mul(slope!, tf.reshape(dy, [-1, 1]))],
  }),
}
