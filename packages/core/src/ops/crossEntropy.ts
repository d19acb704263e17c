/** Negative log-likelihood of labels. */
import * as tf from "@tensorflow/tfjs-core"
import { differentiable, runFused } from "./differentiable.js"

/**
 * −log softmax(logits)[label] at every position. A position whose logits are not numbers is not a number, and changes
 * no other position.
 * @param logits  [..., v]
 * @param labels  int32 [...], each in 0 … v − 1
 * @returns       [...], in nats
 */
export const crossEntropy = (logits: tf.Tensor, labels: tf.Tensor): tf.Tensor => {
  const classes = logits.shape.at(-1)!
  const rows = tf.reshape(logits, [-1, classes])
  const loss = differentiable(
    [rows],
    (save) => {
      const flat = tf.cast(tf.reshape(labels, [-1]), "int32")
      const [logp] = runFused("LogSoftmax", { logits: rows }, { axis: 1 })
      save([logp!, flat])
      const starts = tf.mul(tf.range(0, flat.size, 1, "int32"), tf.scalar(classes, "int32"))
      return tf.neg(tf.gather(tf.reshape(logp!, [-1]), tf.add(starts, flat)))
    },
    (dy, [logp, flat]) => {
      const right = { depth: classes, onValue: 1, offValue: 0, dtype: "float32" }
      const [hot] = runFused("OneHot", { indices: flat! }, right)
      return [tf.mul(tf.sub(tf.exp(logp!), hot!), tf.reshape(dy, [-1, 1]))]
    },
  )
  return tf.reshape(loss, labels.shape)
}
