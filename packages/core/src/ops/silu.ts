/** The sigmoid linear units. */
import * as tf from "@tensorflow/tfjs-core"
import { differentiable, runFused } from "./differentiable.js"

const unit = (x: tf.Tensor, alpha: number): tf.Tensor =>
  differentiable(
    [x],
    (save) => {
      const [y] = runFused("QuickGelu", { x }, { alpha })
      save([x, y!])
      return y!
    },
    // With s = σ(α x) and y = x s: y' = s + α (y − y s).
    (dy, [from, y]) => {
      const s = tf.sigmoid(alpha === 1 ? from! : tf.mul(from!, alpha))
      const bent = tf.sub(y!, tf.mul(y!, s))
      return [tf.mul(dy, tf.add(s, alpha === 1 ? bent : tf.mul(bent, alpha)))]
    },
    { op: "QuickGelu", attrs: { alpha } },
  )

/**
 * x σ(x), elementwise; also known as swish.
 * @source Hendrycks and Gimpel 2016, section 2
 */
export const silu = (x: tf.Tensor): tf.Tensor => unit(x, 1)

/**
 * x σ(1.702 x), elementwise: the approximation of gelu that CLIP uses.
 * @source Hendrycks and Gimpel 2016, section 2
 */
export const quickGelu = (x: tf.Tensor): tf.Tensor => unit(x, 1.702)
