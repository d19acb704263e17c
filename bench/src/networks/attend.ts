/** Self-attention of all heads, from queries, keys and values side by side. */
import { attention, joinHeads, partHeads } from "@millrace/models"
import type * as tf from "@tensorflow/tfjs-core"

/**
 * @param qkv   float32  b t (3 h e)
 * @param bias  added to the scores, or null   float32  t t
 * @returns     float32  b t (h e)
 */
export const attend = (qkv: tf.Tensor, heads: number, bias: tf.Tensor | null): tf.Tensor =>
  joinHeads(attention(...partHeads(qkv, heads), bias))
