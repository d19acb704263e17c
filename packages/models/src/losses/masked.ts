/**
 * Masked tensors whose masked positions cannot leak.
 *
 * A masked position is replaced before any arithmetic. Multiplying by a mask afterwards would not do: NaN · 0 is NaN,
 * in the value and again in the gradient. A loss therefore selects its inputs first, then computes.
 *
 * A mask is true (or not zero) where a position counts. No mask means that every position counts.
 */
import * as tf from "@tensorflow/tfjs-core"

export type Mask = tf.Tensor | undefined

/**
 * What a sum over tokens is divided by. Papers and codes differ, so it is never implied.
 *
 *   token-mean      sum over all tokens / number of tokens             long sequences weigh more
 *   sequence-mean   mean over sequences of each sequence's token mean  every sequence weighs the same
 *   sequence-sum    mean over sequences of each sequence's token sum   the log-likelihood of whole sequences
 *
 * A sequence without tokens counts nowhere; without any token the result is 0.
 */
export type Normaliser = "token-mean" | "sequence-mean" | "sequence-sum"

export const normalisers = ["token-mean", "sequence-mean", "sequence-sum"] as const satisfies ReadonlyArray<Normaliser>

/** `x` where the mask is true, 0 elsewhere. The mask may lack trailing axes of `x`. */
export const select = (mask: Mask, x: tf.Tensor): tf.Tensor => {
  if (mask === undefined) return x
  const missing = x.shape.slice(mask.shape.length).map(() => 1)
  const keep = tf.cast(missing.length === 0 ? mask : tf.reshape(mask, [...mask.shape, ...missing]), "bool")
  return tf.where(keep, x, tf.zerosLike(x))
}

/** The mask as float32 ones and zeros, of the shape of `like`. */
export const weights = (mask: Mask, like: tf.Tensor): tf.Tensor =>
  mask === undefined ? tf.ones(like.shape) : tf.cast(tf.cast(mask, "bool"), "float32")

/** Sum over the positions of each sequence: [b t] -> [b]. */
export const maskedSum = (x: tf.Tensor, mask: Mask): tf.Tensor => tf.sum(select(mask, x), -1)

/** Mean of a [b t] tensor over the positions that count, by a named normaliser. */
export const maskedMean = (x: tf.Tensor, mask: Mask, by: Normaliser): tf.Scalar => {
  const kept = select(mask, x)
  const counts = tf.sum(weights(mask, x), -1) // b
  if (by === "token-mean") return tf.div(tf.sum(kept), atLeastOne(tf.sum(counts)))
  const perSequence = by === "sequence-sum" ? tf.sum(kept, -1) : tf.div(tf.sum(kept, -1), atLeastOne(counts)) // b
  const sequences = tf.sum(tf.cast(tf.greater(counts, 0), "float32"))
  return tf.div(tf.sum(perSequence), atLeastOne(sequences))
}

/** A count as a divisor: the sum over nothing is 0, not 0 / 0. */
export const atLeastOne = (count: tf.Tensor): tf.Tensor => tf.maximum(count, 1)
