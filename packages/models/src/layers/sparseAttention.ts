/**
 * Attention of a sparse transformer, block by block.
 *
 * An image token's keys are all of the text and a few image tokens, `near` it by its layer's pattern. Near scores are
 * products of blocks. The one softmax over near and text keys is done in two: near keys first, whose log-sum-exp is then
 * one more score beside those of the text, so that its probability is the share of all near keys together:
 *
 *   softmax over near and text = [ share · softmax over near, softmax over (text, log-sum-exp of near) without its last ]
 *
 * No score is copied to join the two, and no exponential overflows.
 * Axes   b batch, t position, s image position, h heads, e head width; in comments n = b · h, c blocks, p queries and
 *        l keys of a block, x text position
 */
import { differentiable, logSoftmax } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { causalBias } from "./attention.js"
import type { SparseBlocks } from "./sparseBlocks.js"

/** Rows `from` … `from + count − 1` of each matrix. n t e -> n count e */
const part = (x: tf.Tensor, from: number, count: number): tf.Tensor =>
  tf.slice(x, [0, from, 0], [x.shape[0]!, count, x.shape[2]!])

const indices = (values: Int32Array, first = 0): tf.Tensor1D =>
  tf.tensor1d(
    values.map((i) => i + first),
    "int32",
  )

/** A row of zeros at the end. n x e -> n x+1 e */
const longer = (x: tf.Tensor): tf.Tensor =>
  tf.pad(x, [
    [0, 0],
    [0, 1],
    [0, 0],
  ])

/** A row and a column of zeros at the ends, and 1 where they meet. n x e -> n x+1 e+1 */
const cornered = (x: tf.Tensor): tf.Tensor => {
  const [n = 0, rows = 0, columns = 0] = x.shape
  const corner = Float32Array.from({ length: columns + 1 }, (_, i) => (i < columns ? 0 : 1))
  const last = tf.tile(tf.tensor(corner, [1, 1, columns + 1]), [n, 1, 1])
  return tf.concat([tf.concat([x, tf.zeros([n, rows, 1])], 2), last], 1)
}

const forward = (blocks: SparseBlocks, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => {
  const { count, queries, keys, grid, order, pattern } = blocks
  const [n = 0, t = 0, e = 0] = q.shape
  const { text } = grid
  const size = t - text
  const scaled = tf.mul(q, 1 / Math.sqrt(e)) // n t e

  const [qText, kText, vText] = [scaled, k, v].map((x) => part(x, 0, text)) as [tf.Tensor, tf.Tensor, tf.Tensor]
  const early = tf.softmax(tf.add(tf.matMul(qText, kText, false, true), causalBias(text))) // n x x
  const textOut = tf.matMul(early, vText) // n x e

  const qImage = pattern.kind === "column" ? tf.gather(scaled, indices(order, text), 1) : part(scaled, text, size) // n s e
  const places = indices(blocks.keyAt, text)
  const [kNear, vNear] = [k, v].map((x) => tf.reshape(tf.gather(x, places, 1), [n * count, keys, e])) as [
    tf.Tensor,
    tf.Tensor,
  ] // (n c) l e
  const products = tf.matMul(tf.reshape(qImage, [n * count, queries, e]), kNear, false, true)
  const bias = tf.tensor(blocks.bias, [count, queries, keys])
  const scores = tf.add(tf.reshape(products, [n, count, queries, keys]), bias) // n c p l
  const logs = logSoftmax(scores) // n c p l
  const ofSelf = (x: tf.Tensor): tf.Tensor =>
    tf.reshape(tf.gather(tf.reshape(x, [n, size * keys]), indices(blocks.self), 1), [n, size, 1])
  const total = tf.sub(ofSelf(scores), ofSelf(logs)) // n s 1, the log-sum-exp of near scores
  const near = tf.reshape(tf.exp(logs), [n * count, queries, keys]) // (n c) p l
  const nearOut = tf.reshape(tf.matMul(near, vNear), [n, size, e]) // n s e

  const far = tf.softmax(tf.matMul(tf.concat([qImage, total], 2), cornered(kText), false, true)) // n s x+1
  // The share is read off, not summed up in a further column of v: a product of one column more takes a fifth longer.
  const share = tf.slice(far, [0, 0, text], [n, size, 1]) // n s 1
  const farOut = tf.matMul(far, longer(vText)) // n s e
  const imageOut = tf.add(farOut, tf.mul(share, nearOut)) // n s e
  return {
    out: tf.concat([textOut, pattern.kind === "column" ? tf.gather(imageOut, indices(blocks.place), 1) : imageOut], 1), // n t e
    saved: [qText, kText, vText, early, textOut, qImage, kNear, vNear, near, far, share, imageOut],
  }
}

/**
 * With P the probabilities and δ = Σ_e dy · y: dv = Pᵀ dy and dscores = P ∘ (dy vᵀ − δ). The product takes δ along as
 * one more column of dy, against a column of ones.
 */
const backward = (blocks: SparseBlocks, dy: tf.Tensor, saved: ReadonlyArray<tf.Tensor>): Array<tf.Tensor> => {
  const { count, queries, keys, grid, order, pattern, slots } = blocks
  const [qText, kText, vText, early, textOut, qImage, kNear, vNear, near, far, share, imageOut] = saved as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ]
  const [n = 0, t = 0, e = 0] = dy.shape
  const { text } = grid
  const size = t - text
  const scale = 1 / Math.sqrt(e)
  const lessDelta = (d: tf.Tensor, y: tf.Tensor): tf.Tensor => tf.neg(tf.sum(tf.mul(d, y), 2, true)) // n t 1
  const withOnes = (x: tf.Tensor, rows: number): tf.Tensor =>
    tf.pad(
      x,
      [
        [0, 0],
        [0, rows],
        [0, 1],
      ],
      1,
    )

  const dText = part(dy, 0, text) // n x e
  const dEarly = tf.mul(
    early,
    tf.matMul(tf.concat([dText, lessDelta(dText, textOut)], 2), withOnes(vText, 0), false, true),
  ) // n x x

  const dImage = pattern.kind === "column" ? tf.gather(dy, indices(order, text), 1) : part(dy, text, size) // n s e
  const extended = tf.concat([dImage, lessDelta(dImage, imageOut)], 2) // n s e+1
  // The score of the near keys' sum has no key here: its row is cut off where it counts, and zeros where it is summed.
  const dFar = tf.mul(far, tf.matMul(extended, withOnes(vText, 1), false, true)) // n s x+1
  const dqFar = tf.matMul(dFar, longer(kText)) // n s e
  const dkFar = part(tf.matMul(dFar, qImage, true, false), 0, text) // n x e
  const dvFar = part(tf.matMul(far, dImage, true, false), 0, text) // n x e

  const [dShared, lessShared] = tf.split(tf.mul(extended, share), [e, 1], 2) as [tf.Tensor, tf.Tensor] // n s e, n s 1
  const dOut = tf.reshape(dShared, [n * count, queries, e]) // (n c) p e
  const dNear = tf.mul(
    near,
    tf.add(tf.matMul(dOut, vNear, false, true), tf.reshape(lessShared, [n * count, queries, 1])),
  ) // (n c) p l
  const dqNear = tf.reshape(tf.matMul(dNear, kNear), [n, size, e]) // n s e
  const collect = (x: tf.Tensor): tf.Tensor => {
    const each = tf.reshape(x, [n, count * keys, e])
    return slots.map((slot) => tf.gather(each, indices(slot), 1)).reduce((sum, more) => tf.add(sum, more)) // n s e
  }
  const qNear = tf.reshape(qImage, [n * count, queries, e])
  const dkImage = collect(tf.matMul(dNear, qNear, true, false)) // n s e
  const dvImage = collect(tf.matMul(near, dOut, true, false)) // n s e

  const dqBlocks = tf.add(dqFar, dqNear)
  const dqImage = pattern.kind === "column" ? tf.gather(dqBlocks, indices(blocks.place), 1) : dqBlocks // n s e
  return [
    tf.mul(tf.concat([tf.matMul(dEarly, kText), dqImage], 1), scale), // n t e
    tf.concat([tf.add(tf.matMul(dEarly, qText, true, false), dkFar), dkImage], 1), // n t e
    tf.concat([tf.add(tf.matMul(early, dText, true, false), dvFar), dvImage], 1), // n t e
  ]
}

/**
 * Scaled dot-product attention under a sparse pattern.
 * @param blocks  the pattern, of a sequence of t tokens
 * @param q       queries          float32  b h t e
 * @param k       keys             float32  b h t e
 * @param v       values           float32  b h t e
 * @returns       attended values  float32  b h t e
 * @law           equals `attention` under the bias of `sparseMask`, value and gradients
 * @law           no value of the program is as large as the scores of all pairs
 * @source        Ramesh et al. 2021, appendix B.1
 */
export const sparseAttention = (blocks: SparseBlocks, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor => {
  const [b = 0, h = 0, t = 0, e = 0] = q.shape
  const [qs, ks, vs] = [q, k, v].map((x) => tf.reshape(x, [b * h, t, e])) as [tf.Tensor, tf.Tensor, tf.Tensor]
  const y = differentiable(
    [qs, ks, vs],
    (save) => {
      const { out, saved } = forward(blocks, qs, ks, vs)
      save(saved)
      return out
    },
    (dy, saved) => backward(blocks, dy, saved),
  )
  return tf.reshape(y, q.shape)
}
