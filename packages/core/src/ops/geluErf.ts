/** The Gaussian error linear unit as it is defined, with the error function. */
import * as tf from "@tensorflow/tfjs-core"
import { differentiable } from "./differentiable.js"

const cumulative = (x: tf.Tensor): tf.Tensor => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5)

/**
 * x Φ(x), elementwise, where Φ is the standard normal distribution: what PyTorch calls GELU. `gelu` is the
 * tanh form. WebAssembly's tfjs has no error function: not on `tfjs:wasm`.
 * @source Hendrycks and Gimpel 2016, section 2
 */
export const geluErf = (x: tf.Tensor): tf.Tensor =>
  differentiable(
    [x],
    (save) => {
      const phi = cumulative(x)
      save([x, phi])
      return tf.mul(x, phi)
    },
    // Φ + x φ, with the density φ = exp(−x²/2) / √(2π).
    (dy, [from, phi]) => {
      const density = tf.mul(tf.exp(tf.mul(tf.square(from!), -0.5)), 1 / Math.sqrt(2 * Math.PI))
      return [tf.mul(dy, tf.add(phi!, tf.mul(from!, density)))]
    },
  )
