/** The Gaussian error linear unit in its tanh form, with SigmoidGrad. */
import * as tf from "@tensorflow/tfjs-core"
import { geluFactors } from "../program/fused.js"
import type { Row } from "./row.js"

/**
 * x σ(v) with v = x (a + b x²). The gradient is σ + x σ (1 − σ) (a + 3 b x²): SigmoidGrad is the product in the middle, and
 * the logistic function is kept rather than taken twice.
 */
export const geluRow: Row = {
  name: "GeluTanh",
  raw: ["SigmoidGrad"],
  differentiable: (raw) => ({
    forward: ([x]) => {
      const { a, b } = geluFactors
      const inner = tf.add(tf.mul(tf.square(x!), b), a)
      const s = tf.sigmoid(tf.mul(x!, inner))
      return { value: tf.mul(x!, s), saved: [x!, s, inner] }
    },
    backward: (dy, [x, s, inner]) => {
      // a + 3 b x² = 3 (a + b x²) − 2 a
      const slope = tf.sub(tf.mul(inner!, 3), 2 * geluFactors.a)
      const [bent] = raw("SigmoidGrad", [s!, x!])
      return [tf.mul(dy, tf.add(s!, tf.mul(bent!, slope)))]
    },
  }),
}
