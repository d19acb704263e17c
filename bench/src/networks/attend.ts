/**
 * Self-attention of all heads, from queries, keys and values side by side.
 * Axes   b batch, t position, h heads, e head width
 */
import { softmax } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"

/**
 * @param qkv   float32  b t (3 h e)
 * @param bias  added to the scores, or null   float32  t t
 * @returns     float32  b t (h e)
 */
export const attend = (qkv: tf.Tensor, heads: number, bias: tf.Tensor | null): tf.Tensor => {
  const [b = 0, t = 0, three = 0] = qkv.shape
  const e = three / 3 / heads
  const parted = tf.transpose(tf.reshape(qkv, [b, t, 3, heads, e]), [2, 0, 3, 1, 4]) // 3 b h t e
  const [q, k, v] = tf.split(parted, 3, 0).map((part) => tf.reshape(part, [b, heads, t, e])) // b h t e
  const products = tf.matMul(tf.mul(q!, e ** -0.5), k!, false, true) // b h t t
  const weights = softmax(bias === null ? products : tf.add(products, bias)) // b h t t
  return tf.reshape(tf.transpose(tf.matMul(weights, v!), [0, 2, 1, 3]), [b, t, heads * e]) // b t (h e)
}
