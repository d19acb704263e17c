/**
 * Attention of every place of an image to every place, and to tokens of context where there are any.
 *   x -> norm -> queries, keys, values;  context -> more keys, values;  attention -> projection of zeros -> + x
 * Source   Dhariwal and Nichol 2021, section 3; Nichol et al. 2021, section 4.1; openai/glide-text2im `unet.py`.
 * Differs  Queries and keys are each scaled by the −¼ power of a head's width there, against overflow in float16; their
 *          products are scaled by the −½ power here, which is the same in float32.
 * Axes     b batch, y x image row and column, c channels, s context token, d width of the context, h heads, e head width
 */
import { linear, type ParamSpec, type ParamsOf, zeros } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { attention, joinHeads, partHeads, unseen } from "../layers/attention.js"
import { type Affine, linearOf, type Norm, normOf, param } from "../layers/params.js"
import { norm } from "./residual.js"

export type ImageAttentionTree<Leaf> = {
  readonly norm: Norm<Leaf>
  /** c (3 c) */
  readonly qkv: Affine<Leaf>
  /** Keys and values of the context, where there is one: d (2 c). */
  readonly context?: Affine<Leaf>
  /** Of zeros at first, so that it begins as the identity. */
  readonly out: Affine<Leaf>
}

export const imageAttentionParams = (channels: number, context?: number): ImageAttentionTree<ParamSpec> => ({
  norm: normOf(channels),
  qkv: linearOf(channels, 3 * channels),
  ...(context === undefined ? {} : { context: linearOf(context, 2 * channels) }),
  out: { weight: param([channels, channels], zeros), bias: param([channels], zeros) },
})

/** Keys and values of each head from the context. float32 `b s d` -> two of `b h s e` */
const contextHeads = (p: Affine<tf.Tensor>, context: tf.Tensor, heads: number): [k: tf.Tensor, v: tf.Tensor] => {
  const [b = 0, s = 0] = context.shape
  const [k, v] = tf
    .split(linear(context, p.weight, p.bias), 2, 2)
    .map((part) => tf.transpose(tf.reshape(part, [b, s, heads, (part.shape[2] ?? 0) / heads]), [0, 2, 1, 3]))
  return [k as tf.Tensor, v as tf.Tensor]
}

/** Tokens that an image attends to besides itself. */
export interface Context {
  /** float32  b s d */
  readonly tokens: tf.Tensor
  /** True where a token is seen; all of them unless given. bool  b s */
  readonly seen?: tf.Tensor
}

/** What is added to scores, so that no query sees a hidden token. float32 `b 1 1 (s + y x)` */
const biasOf = (seen: tf.Tensor, places: number): tf.Tensor => {
  const [b = 0, s = 0] = seen.shape
  const hidden = tf.where(seen, tf.scalar(0), tf.scalar(unseen)) // b s
  return tf.reshape(tf.concat([hidden, tf.zeros([b, places])], 1), [b, 1, 1, s + places])
}

/**
 * @param x          float32  b y x c
 * @param context    or null where there is none
 * @param headWidth  divides c
 * @returns          float32  b y x c
 * @law              the order of the context's tokens changes nothing
 */
export const imageAttention = (
  p: ParamsOf<ImageAttentionTree<ParamSpec>>,
  x: tf.Tensor,
  context: Context | null,
  { headWidth, groups }: { readonly headWidth: number; readonly groups: number },
): tf.Tensor => {
  const [b = 0, height = 0, width = 0, c = 0] = x.shape
  const heads = c / headWidth
  const rows = tf.reshape(norm(p.norm, x, groups), [b, height * width, c]) // b (y x) c
  const [q, k, v] = partHeads(linear(rows, p.qkv.weight, p.qkv.bias), heads) // each b h (y x) e
  const attended = (): tf.Tensor => {
    if (context === null || p.context === undefined) return attention(q, k, v, null)
    const [moreKeys, moreValues] = contextHeads(p.context, context.tokens, heads) // each b h s e
    const bias = context.seen === undefined ? null : biasOf(context.seen, height * width)
    return attention(q, tf.concat([moreKeys, k], 2), tf.concat([moreValues, v], 2), bias)
  }
  const joined = joinHeads(attended()) // b (y x) c
  return tf.add(x, tf.reshape(linear(joined, p.out.weight, p.out.bias), x.shape))
}
