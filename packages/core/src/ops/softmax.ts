/** Softmax and its logarithm over the last axis. */
import * as tf from "@tensorflow/tfjs-core"
import { differentiable, runFused } from "./differentiable.js"

/** exp(x) / Σ exp(x) over the last axis, [..., v]. */
export const softmax = (x: tf.Tensor): tf.Tensor =>
  differentiable(
    [x],
    (save) => {
      const y = tf.softmax(x)
      save([y])
      return y
    },
    (dy, [y]) => [tf.mul(y!, tf.sub(dy, tf.sum(tf.mul(dy, y!), -1, true)))],
  )

/** log softmax(x) over the last axis, [..., v]; finite wherever x is. */
export const logSoftmax = (x: tf.Tensor): tf.Tensor =>
  differentiable(
    [x],
    (save) => {
      const [y] = runFused("LogSoftmax", { logits: x }, { axis: x.rank - 1 })
      save([y!])
      return y!
    },
    (dy, [y]) => [tf.sub(dy, tf.mul(tf.exp(y!), tf.sum(dy, -1, true)))],
  )
