/**
 * Attention pooling: the mean of all places asks all places and itself, and its answer is the image.
 *   places -> [mean, places] + position -> one query, all keys and values -> projection
 * Source   Radford et al. 2021, section 2.4; openai/CLIP `model.py`, AttentionPool2d.
 * Differs  guided-diffusion's pool of the same name joins its projections in one convolution.
 * Axes     b batch, y x image row and column, c channels, t place, h heads, e head width, j joint width
 */
import { linear, normal, type ParamsOf, softmax } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { fanIn } from "../layers/fanIn.js"
import { param } from "../layers/params.js"

/** Parameters for `places` places of `c` channels, as specs. */
export const attentionPoolParams = (places: number, c: number, joint: number) => {
  const start = normal(c ** -0.5)
  const projection = (outputs: number) => ({ weight: param([c, outputs], start), bias: param([outputs], fanIn(c)) })
  return {
    position: param([places + 1, c], start),
    query: projection(c),
    key: projection(c),
    value: projection(c),
    out: projection(joint),
  }
}
export type AttentionPoolParams = ParamsOf<ReturnType<typeof attentionPoolParams>>

/**
 * @param x  float32  b y x c
 * @returns  float32  b j
 * @law      without positions, the order of the places is irrelevant
 */
export const attentionPool = (p: AttentionPoolParams, x: tf.Tensor, heads: number): tf.Tensor => {
  const [b = 0, height = 0, width = 0, c = 0] = x.shape
  const t = height * width + 1
  const e = c / heads
  const places = tf.reshape(x, [b, t - 1, c])
  const tokens = tf.add(tf.concat([tf.mean(places, 1, true), places], 1), p.position) // b t c
  const byHead = (y: tf.Tensor, n: number): tf.Tensor => tf.transpose(tf.reshape(y, [b, n, heads, e]), [0, 2, 1, 3])
  const first = tf.slice(tokens, [0, 0, 0], [b, 1, c])
  const q = byHead(linear(first, p.query.weight, p.query.bias), 1) // b h 1 e
  const k = byHead(linear(tokens, p.key.weight, p.key.bias), t) // b h t e
  const v = byHead(linear(tokens, p.value.weight, p.value.bias), t) // b h t e
  const weights = softmax(tf.matMul(tf.mul(q, e ** -0.5), k, false, true)) // b h 1 t
  return linear(tf.reshape(tf.matMul(weights, v), [b, c]), p.out.weight, p.out.bias) // b j
}
