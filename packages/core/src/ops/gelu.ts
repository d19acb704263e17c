/** The Gaussian error linear unit in its tanh form. */
import * as tf from "@tensorflow/tfjs-core"
import { geluFactors } from "../program/fused.js"
import { differentiable, runFused } from "./differentiable.js"

/**
 * 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))), elementwise.
 * @source Hendrycks and Gimpel 2016, section 2; the form that GPT-2 uses
 */
export const gelu = (x: tf.Tensor): tf.Tensor =>
  differentiable(
    [x],
    (save) => {
      const [y] = runFused("GeluTanh", { x }, {})
      save([x, y!])
      return y!
    },
    // gelu(x) = x σ(v) with v = x (a + b x²), so gelu' = σ + (y − y σ) (a + 3 b x²).
    (dy, [from, y]) => {
      const { a, b } = geluFactors
      const cubic = tf.mul(tf.square(from!), b)
      const s = tf.sigmoid(tf.mul(from!, tf.add(cubic, a)))
      const slope = tf.add(tf.mul(cubic, 3), a)
      return [tf.mul(dy, tf.add(s, tf.mul(tf.sub(y!, tf.mul(y!, s)), slope)))]
    },
    { op: "GeluTanh" },
  )
