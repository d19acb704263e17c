/**
 * The transformer of unCLIP's priors.
 *   x -> [ x + attention(norm x) ; x + mlp(norm x) ] * layers
 * Source   Ramesh et al. 2022, section 2.2; kakaobrain/karlo `xf.py`.
 * Differs  GELU is the exact one, as in Karlo; the paper does not say. Initial values are GPT-2's, for the same reason.
 * Axes     b batch, s sequence, d width, h heads, e head width
 */
import { cachedAttention, geluErf, linear, type ParamSpec, type Tensors, withPath } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { attention, joinHeads, partHeads, unseen } from "../layers/attention.js"
import type { BlockTree } from "../layers/blockTree.js"
import { norm } from "../layers/norm.js"
import { linearOf, normOf } from "../layers/params.js"
import { keysOf, valuesOf } from "../sample/cache.js"

// --- parameters

const blockParams = (d: number, layers: number): BlockTree<ParamSpec> => {
  const residual = 0.02 / Math.sqrt(2 * layers)
  return {
    norm1: normOf(d),
    attention: { qkv: linearOf(d, 3 * d, 0.02), out: linearOf(d, d, residual) },
    norm2: normOf(d),
    mlp: { up: linearOf(d, 4 * d, 0.02), down: linearOf(4 * d, d, residual) },
  }
}

export const transformerParams = ({ width, layers }: { readonly width: number; readonly layers: number }) =>
  Array.from({ length: layers }, () => blockParams(width, layers))

// --- forward

/** The second half of a block. float32 `… d` -> `… d` */
const addMlp = (p: BlockTree<tf.Tensor>, x: tf.Tensor): tf.Tensor => {
  const hidden = geluErf(linear(norm(p.norm2, x), p.mlp.up.weight, p.mlp.up.bias)) // … (4 d)
  return tf.add(x, linear(hidden, p.mlp.down.weight, p.mlp.down.bias)) // … d
}

/** Told what a layer's attention sees. float32 `b h s e` */
type Seen = (layer: number, keys: tf.Tensor, values: tf.Tensor) => void

/**
 * @param x     float32  b s d
 * @param bias  added to the scores   float32  broadcast to b h s s
 * @returns     float32  b s d
 */
export const transformer = (
  blocks: ReadonlyArray<BlockTree<tf.Tensor>>,
  x: tf.Tensor,
  heads: number,
  bias: tf.Tensor,
  seen?: Seen,
): tf.Tensor =>
  blocks.reduce(
    (y, p, i) =>
      withPath(`blocks.${i}`, () => {
        const qkv = linear(norm(p.norm1, y), p.attention.qkv.weight, p.attention.qkv.bias) // b s (3 h e)
        const [q, k, v] = partHeads(qkv, heads) // b h s e
        seen?.(i, k, v)
        const attended = joinHeads(attention(q, k, v, bias)) // b s (h e)
        return addMlp(p, tf.add(y, linear(attended, p.attention.out.weight, p.attention.out.bias))) // b s d
      }),
    x,
  )

/**
 * One more position, which sees itself and those in the cache.
 * @param x        float32  b d
 * @param cache    keys and values by `keysOf` and `valuesOf`   float32  b h s e
 * @param lengths  positions of each row in the cache, in the first slots   int32  b
 * @returns        float32  b d, and the cache with it written
 */
export const stepTransformer = (
  blocks: ReadonlyArray<BlockTree<tf.Tensor>>,
  x: tf.Tensor,
  cache: Tensors,
  lengths: tf.Tensor,
) => {
  const written: Record<string, tf.Tensor> = {}
  const last = blocks.reduce(
    (y, p, i) =>
      withPath(`blocks.${i}`, () => {
        const qkv = linear(norm(p.norm1, y), p.attention.qkv.weight, p.attention.qkv.bias) // b (3 h e)
        const made = cachedAttention(qkv, cache[keysOf(i)]!, cache[valuesOf(i)]!, lengths)
        written[keysOf(i)] = made.keys
        written[valuesOf(i)] = made.values
        return addMlp(p, tf.add(y, linear(made.attended, p.attention.out.weight, p.attention.out.bias))) // b d
      }),
    x,
  )
  return { last, cache: written }
}

/**
 * The bias under which each position sees those up to itself, but for a caption's padding; a padded one sees itself.
 * @param mask   1 for a caption's positions, which come first   float32  b t
 * @param after  how many positions come after the caption
 * @returns      float32  b 1 s s
 */
export const seenBias = (mask: tf.Tensor, after: number): tf.Tensor => {
  const [b = 0, t = 0] = mask.shape
  const s = t + after
  const all = tf.concat([mask, tf.ones([b, after])], 1) // b s
  const keys = tf.reshape(tf.greater(all, 0.5), [b, 1, 1, s])
  const places = tf.range(0, s, 1, "int32")
  const [query, key] = [tf.reshape(places, [1, 1, s, 1]), tf.reshape(places, [1, 1, 1, s])]
  const seen = tf.logicalOr(tf.logicalAnd(tf.less(key, query), keys), tf.equal(key, query))
  return tf.where(seen, tf.scalar(0), tf.scalar(unseen))
}
