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
      const [logp] = runFused("LogSoftmax", { logits: rows }, { axis: 1 })
      const flat = tf.cast(tf.reshape(labels, [-1]), "int32")
      const starts = tf.mul(tf.range(0, flat.size, 1, "int32"), tf.scalar(classes, "int32"))
      const right = tf.add(starts, flat)
      save([logp!, right])
      return tf.neg(tf.gather(tf.reshape(logp!, [-1]), right))
    },
    // softmax · dy everywhere, but (softmax − 1) · dy at the labels: two passes over all logits, and one number a row.
    (dy, [logp, right]) => {
      const softmax = tf.reshape(tf.mul(tf.exp(logp!), tf.reshape(dy, [-1, 1])), [-1])
      const atLabels = tf.mul(tf.sub(tf.exp(tf.gather(tf.reshape(logp!, [-1]), right!)), 1), dy)
      return [tf.reshape(tf.tensorScatterUpdate(softmax, tf.reshape(right!, [-1, 1]), atLabels), logp!.shape)]
    },
  )
  return tf.reshape(loss, labels.shape)
}
