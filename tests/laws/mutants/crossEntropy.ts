import { sftLoss } from "@millrace/models"
import { crossEntropyLaws, type LanguageLoss } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

type Reduce = (x: tf.Tensor, mask: tf.Tensor) => tf.Scalar

/** Token t + 1 scored by the logits of position t. */
const shifted =
  (by: (logits: tf.Tensor, tokens: tf.Tensor, mask: tf.Tensor) => tf.Tensor, mean: Reduce): LanguageLoss =>
  (logits, tokens, mask) => {
    const [b, t, v] = logits.shape as [number, number, number]
    const kept = tf.slice(mask, [0, 1], [b, t - 1])
    return mean(by(tf.slice(logits, [0, 0, 0], [b, t - 1, v]), tf.slice(tokens, [0, 1], [b, t - 1]), kept), kept)
  }
const oneHot = (tokens: tf.Tensor, v: number) => tf.oneHot(tf.cast(tokens, "int32"), v)
const at = (x: tf.Tensor, tokens: tf.Tensor) => tf.sum(tf.mul(oneHot(tokens, x.shape[2]!), x), -1)
const ce = (logits: tf.Tensor, tokens: tf.Tensor) => tf.neg(at(tf.logSoftmax(logits), tokens))
const multiplied: Reduce = (x, m) => tf.div(tf.sum(tf.mul(x, tf.cast(m, "float32"))), tf.sum(tf.cast(m, "float32")))

export const crossEntropyMutants = mutantSet<LanguageLoss>({
  subject: "cross-entropy",
  laws: crossEntropyLaws,
  real: (logits, tokens, mask) => sftLoss(logits, tokens, mask, { normaliser: "token-mean" }),
  mutants: {
    "that multiplies by its mask": shifted(ce, multiplied),
    "that ignores its mask": shifted(ce, (x) => tf.mean(x)),
    "that scores each token by its own position": (logits, tokens, mask) => multiplied(ce(logits, tokens), mask),
    "that overflows": shifted(
      (logits, tokens) => tf.sub(tf.log(tf.sum(tf.exp(logits), -1)), at(logits, tokens)),
      multiplied,
    ),
    "that forgets to normalise": shifted((logits, tokens) => tf.neg(at(logits, tokens)), multiplied),
    "that has the wrong sign": shifted((logits, tokens) => tf.neg(ce(logits, tokens)), multiplied),
    "that is a mean of sequence means": (logits, tokens, mask) =>
      sftLoss(logits, tokens, mask, { normaliser: "sequence-mean" }),
    "that is a sum": shifted(ce, (x, m) => tf.sum(tf.mul(x, tf.cast(m, "float32")))),
    "that weighs sequences by their place": shifted(
      (logits, tokens) =>
        tf.mul(ce(logits, tokens), tf.reshape(tf.range(1, logits.shape[0]! + 1), [logits.shape[0]!, 1])),
      multiplied,
    ),
    "that smooths its labels": shifted(
      (logits, tokens) => tf.add(tf.mul(0.9, ce(logits, tokens)), tf.mul(-0.1, tf.mean(tf.logSoftmax(logits), -1))),
      multiplied,
    ),
  },
})
