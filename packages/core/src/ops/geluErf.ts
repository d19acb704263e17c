/** The Gaussian error linear unit itself. */
import * as tf from "@tensorflow/tfjs-core"
import { differentiable } from "./differentiable.js"

/**
 * x Φ(x) = 0.5 x (1 + erf(x / √2)), elementwise. At most 4.8e-4 from the tanh form, `gelu`.
 * @source Hendrycks and Gimpel 2016, section 2; PyTorch's `nn.GELU()`, karpathy/nanoGPT, Karlo's prior
 */
export const geluErf = (x: tf.Tensor): tf.Tensor =>
  differentiable(
    [x],
    (save) => {
      save([x])
      return tf.mul(x, phi(x))
    },
    // Φ + x φ, where φ is the normal density.
    (dy, [from]) => {
      const density = tf.mul(tf.exp(tf.mul(tf.square(from!), -0.5)), 1 / Math.sqrt(2 * Math.PI))
      return [tf.mul(dy, tf.add(phi(from!), tf.mul(from!, density)))]
    },
  )

const phi = (x: tf.Tensor): tf.Tensor => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5)
