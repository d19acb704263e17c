/** Attention of one new position over a cache of keys and values. */
import type * as tf from "@tensorflow/tfjs-core"
import { runFused } from "./differentiable.js"

/** What came of new positions. */
export interface CachedAttention {
  /** float32  b (h e), of `cachedPrompt` b t (h e) */
  readonly attended: tf.Tensor
  /** The tables with what is new in them. float32  b h s e */
  readonly keys: tf.Tensor
  readonly values: tf.Tensor
}

/**
 * Softmax attention of a new position over itself and the positions before it, and the cache with it written.
 *
 * Row i of the batch has `lengths[i]` positions, in the first slots; the new one is written to the next. What other slots hold
 * is not attended to. It has no gradient. Where keys and values are state that a step writes and nothing else reads, the
 * `onnx` engine writes them in place.
 * @param qkv      query, key and value of the position, all heads of each side by side   float32  b (3 h e)
 * @param keys     float32  b h s e
 * @param values   float32  b h s e
 * @param lengths  each from 0 to s − 1   int32  b
 * @source         Vaswani et al. 2017, eq. 1. Our e is their d_k
 */
export const cachedAttention = (
  qkv: tf.Tensor,
  keys: tf.Tensor,
  values: tf.Tensor,
  lengths: tf.Tensor,
): CachedAttention => {
  const [attended, newKeys, newValues] = runFused("CachedAttention", { qkv, keys, values, lengths }, {})
  return { attended: attended!, keys: newKeys!, values: newValues! }
}
