/**
 * Softmax attention, and the additive biases that say which keys a query sees.
 * Axes   b batch, t position, s key position, h heads, e head width
 */
import { differentiable, softmax } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"

/**
 * What is added to the score of a key that must not be seen. `exp` of it is exactly 0 in float32, as with −∞; but a
 * row of nothing else is uniform and not NaN, so that a padded row stays finite.
 */
export const unseen = -1e9

/** Positions 0 … length − 1, int32, along axis `axis` of `rank` axes. */
const positions = (length: number, shape: ReadonlyArray<number>): tf.Tensor =>
  tf.tensor(
    Int32Array.from({ length }, (_, i) => i),
    [...shape],
    "int32",
  )

const bias = (seen: tf.Tensor): tf.Tensor => tf.where(seen, tf.scalar(0), tf.scalar(unseen))

/** The bias under which position t sees positions up to t. float32 `t s`. */
export const causalBias = (length: number): tf.Tensor =>
  bias(tf.lessEqual(positions(length, [1, length]), positions(length, [length, 1])))

/**
 * The causal bias under which, besides, no real position sees padding; a padded position sees itself alone, so that no
 * row is empty.
 * @param mask  true for a real token   bool  b t
 * @returns     float32  b 1 t s
 */
export const paddedCausalBias = (mask: tf.Tensor): tf.Tensor => {
  const [b = 0, t = 0] = mask.shape
  const [query, key] = [positions(t, [1, 1, t, 1]), positions(t, [1, 1, 1, t])]
  const earlier = tf.logicalAnd(tf.less(key, query), tf.reshape(mask, [b, 1, 1, t])) // b 1 t s
  return bias(tf.logicalOr(earlier, tf.equal(key, query)))
}

/**
 * Queries, keys and values of each head, from those of all heads side by side. They are parted before the axes move: where
 * there is one position, moving them is nothing but a reshape.
 * @param qkv  float32  b t (3 h e)
 * @returns    three of float32  b h t e
 */
export const partHeads = (qkv: tf.Tensor, heads: number): [q: tf.Tensor, k: tf.Tensor, v: tf.Tensor] => {
  const [b = 0, t = 0, wide = 0] = qkv.shape
  const [q, k, v] = tf
    .split(qkv, 3, 2)
    .map((part) => tf.transpose(tf.reshape(part, [b, t, heads, wide / 3 / heads]), [0, 2, 1, 3]))
  return [q as tf.Tensor, k as tf.Tensor, v as tf.Tensor]
}

/** All heads side by side. float32 `b h t e` -> `b t (h e)` */
export const joinHeads = (x: tf.Tensor): tf.Tensor => {
  const [b = 0, h = 0, t = 0, e = 0] = x.shape
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [b, t, h * e])
}

/**
 * Scaled dot-product attention.
 *
 * The gradient of the scores is P ∘ (dP − D), where D = Σ P ∘ dP over the keys is taken as Σ O ∘ dO over the width of a
 * head: no pass over all pairs of positions is made for it.
 * @param q     queries         float32  b h t e
 * @param k     keys            float32  b h s e
 * @param v     values          float32  b h s e
 * @param bias  added to scores float32  broadcast to b h t s, or null; it gets no gradient
 * @returns     attended values float32  b h t e
 * @source      Vaswani et al. 2017, eq. 1. Our e is their d_k. The form of D: Dao et al. 2022, appendix B.2
 */
export const attention = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, bias: tf.Tensor | null): tf.Tensor => {
  const scale = 1 / Math.sqrt(q.shape[q.rank - 1] ?? 1)
  return differentiable(
    [q, k, v],
    (save) => {
      const products = tf.mul(tf.matMul(q, k, false, true), scale) // b h t s
      const p = softmax(bias === null ? products : tf.add(products, bias)) // b h t s
      const o = tf.matMul(p, v) // b h t e
      save([q, k, v, p, o])
      return o
    },
    (dy, [queries, keys, values, p, o]) => {
      const along = tf.sum(tf.mul(dy, o!), -1, true) // b h t 1
      const ds = tf.mul(p!, tf.sub(tf.matMul(dy, values!, false, true), along)) // b h t s
      return [
        tf.mul(tf.matMul(ds, keys!), scale),
        tf.mul(tf.matMul(ds, queries!, true, false), scale),
        tf.matMul(p!, dy, true, false),
      ]
    },
    { op: "Attention", beside: bias === null ? [] : [bias] },
  )
}
