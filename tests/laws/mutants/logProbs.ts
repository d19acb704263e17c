import { alignedLogProbs } from "@millrace/models"
import { type LogProbsOf, logProbsLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

const delayed = (x: tf.Tensor): tf.Tensor => {
  const [b, t] = x.shape as [number, number]
  return tf.concat([tf.zeros([b, 1]), tf.slice(x, [0, 0], [b, t - 1])], 1)
}
const picked = (logP: tf.Tensor, tokens: tf.Tensor): tf.Tensor =>
  tf.sum(tf.mul(tf.oneHot(tf.cast(tokens, "int32"), logP.shape[2]!), logP), -1)
const moved = (tokens: tf.Tensor): tf.Tensor => {
  const [b, t] = tokens.shape as [number, number]
  return tf.concat([tf.slice(tokens, [0, 1], [b, t - 1]), tf.zeros([b, 1], "int32")], 1)
}

export const logProbsMutants = mutantSet<LogProbsOf>({
  subject: "log-probabilities of tokens",
  laws: logProbsLaws,
  real: alignedLogProbs,
  mutants: {
    "that reads each token at its own position": (logits, tokens) => picked(tf.logSoftmax(logits), tokens),
    "that reads the logits as they are": (logits, tokens) => delayed(picked(logits, moved(tokens))),
    "that ignores its mask": (logits, tokens) => alignedLogProbs(logits, tokens),
    "that multiplies by its mask": (logits, tokens, mask) =>
      tf.mul(alignedLogProbs(logits, tokens), tf.cast(mask, "float32")),
    "that has the wrong sign": (logits, tokens, mask) => tf.neg(alignedLogProbs(logits, tokens, mask)),
    "that counts in bits": (logits, tokens, mask) => tf.div(alignedLogProbs(logits, tokens, mask), Math.LN2),
    "that gives the first token the logits of its own": (logits, tokens, mask) => {
      const [b, , v] = logits.shape as [number, number, number]
      const first = tf.logSoftmax(tf.slice(logits, [0, 0, 0], [b, 1, v]))
      const of = picked(first, tf.slice(tokens, [0, 0], [b, 1]))
      const rest = alignedLogProbs(logits, tokens, mask)
      return tf.concat([of, tf.slice(rest, [0, 1], [b, tokens.shape[1]! - 1])], 1)
    },
  },
})
