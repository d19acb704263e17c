/** Attention of the first positions of a text, which fill a cache of keys and values. */
import type * as tf from "@tensorflow/tfjs-core"
import type { CachedAttention } from "./cachedAttention.js"
import { runFused } from "./differentiable.js"

/**
 * Causal softmax attention among the first positions, and the cache with them in its first slots, whatever it held.
 *
 * What other slots hold stays, and is not attended to. It has no gradient. Where keys and values are state that a program writes
 * and nothing else reads, the `onnx` engine writes them in place.
 * @param qkv     query, key and value of each position, all heads of each side by side   float32  b t (3 h e)
 * @param keys    float32  b h s e, with s at least t
 * @param values  float32  b h s e
 * @returns       `attended` is b t (h e)
 * @law           `cachedAttention` of the same positions, one after the other, gives the same
 * @source        Vaswani et al. 2017, eq. 1. Our e is their d_k
 */
export const cachedPrompt = (qkv: tf.Tensor, keys: tf.Tensor, values: tf.Tensor): CachedAttention => {
  const [attended, newKeys, newValues] = runFused("CachedAttention", { qkv, keys, values }, {})
  return { attended: attended!, keys: newKeys!, values: newValues! }
}
