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
import { differentiable, logSoftmax, ShapeMismatch } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { causalBias } from "./attention.js"
import type { SparseBlocks } from "./sparseBlocks.js"

/** What the gradient needs of the forward pass. */
const names = [
  ...(["qText", "kText", "vText", "early", "textOut"] as const),
  ...(["qImage", "kNear", "vNear", "near", "far", "share", "imageOut"] as const),
] as const
type Saved = Readonly<Record<(typeof names)[number], tf.Tensor>>

/** Rows `from` … `from + count − 1` of each matrix. n t e -> n count e */
const part = (x: tf.Tensor, from: number, count: number): tf.Tensor =>
  tf.slice(x, [0, from, 0], [x.shape[0]!, count, x.shape[2]!])

/** Rows of each matrix by number. n t e -> n s e */
const pick = (x: tf.Tensor, numbers: Int32Array, first = 0): tf.Tensor =>
  tf.gather(x, tf.tensor1d(first === 0 ? numbers : numbers.map((i) => i + first), "int32"), 1)

/** Rows and columns of one value at the ends. n t e -> n t+rows e+columns */
const grown = (x: tf.Tensor, rows: number, columns: number, value = 0): tf.Tensor => {
  const paddings: Array<[number, number]> = [0, rows, columns].map((after) => [0, after])
  return tf.pad(x, paddings, value)
}

/** A row and a column of zeros at the ends, and 1 where they meet. n x e -> n x+1 e+1 */
const cornered = (x: tf.Tensor): tf.Tensor => {
  const before: Array<[number, number]> = [0, 0, x.shape[2]!].map((zeros) => [zeros, 0])
  return tf.concat([grown(x, 0, 1), tf.pad(tf.ones([x.shape[0]!, 1, 1]), before)], 1)
}

const product = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.matMul(a, b)
/** a · bᵀ */
const against = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.matMul(a, b, false, true)
/** aᵀ · b */
const across = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.matMul(a, b, true, false)

const forward = (blocks: SparseBlocks, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): [out: tf.Tensor, saved: Saved] => {
  const { count, queries, keys, grid, order, place, pattern } = blocks
  const [n = 0, t = 0, e = 0] = q.shape
  const { text } = grid
  const size = t - text
  const scaled = tf.mul(q, 1 / Math.sqrt(e)) // n t e

  const [qText, kText, vText] = [part(scaled, 0, text), part(k, 0, text), part(v, 0, text)] // n x e
  const early = tf.softmax(tf.add(against(qText, kText), causalBias(text))) // n x x
  const textOut = product(early, vText) // n x e

  const turned = pattern.kind === "column"
  const qImage = turned ? pick(scaled, order, text) : part(scaled, text, size) // n s e
  const nearOf = (x: tf.Tensor): tf.Tensor => tf.reshape(pick(x, blocks.keyAt, text), [n * count, keys, e])
  const [kNear, vNear] = [nearOf(k), nearOf(v)] // (n c) l e
  const products = against(tf.reshape(qImage, [n * count, queries, e]), kNear) // (n c) p l
  const bias = tf.tensor(blocks.bias, [count, queries, keys])
  const scores = tf.add(tf.reshape(products, [n, count, queries, keys]), bias) // n c p l
  const logs = logSoftmax(scores) // n c p l
  const ofSelf = (x: tf.Tensor): tf.Tensor => pick(tf.reshape(x, [n, size * keys, 1]), blocks.self)
  const total = tf.sub(ofSelf(scores), ofSelf(logs)) // n s 1, the log-sum-exp of near scores
  const near = tf.reshape(tf.exp(logs), [n * count, queries, keys]) // (n c) p l
  const nearOut = tf.reshape(product(near, vNear), [n, size, e]) // n s e

  const far = tf.softmax(against(tf.concat([qImage, total], 2), cornered(kText))) // n s x+1
  // The share is read off, not summed up in a further column of v: a product of one column more takes a fifth longer.
  const share = tf.slice(far, [0, 0, text], [n, size, 1]) // n s 1
  const imageOut = tf.add(product(far, grown(vText, 1, 0)), tf.mul(share, nearOut)) // n s e
  return [
    tf.concat([textOut, turned ? pick(imageOut, place) : imageOut], 1), // n t e
    { qText, kText, vText, early, textOut, qImage, kNear, vNear, near, far, share, imageOut },
  ]
}

/** dy, and −Σ_e dy · y as one more column. n t e -> n t e+1 */
const withDelta = (dy: tf.Tensor, y: tf.Tensor): tf.Tensor => tf.concat([dy, tf.neg(tf.sum(tf.mul(dy, y), 2, true))], 2)

/**
 * With P the probabilities and δ = Σ_e dy · y: dv = Pᵀ dy and dscores = P ∘ (dy vᵀ − δ). The product takes −δ along as
 * one more column of dy, against a column of ones.
 */
const backward = (blocks: SparseBlocks, dy: tf.Tensor, saved: Saved): Array<tf.Tensor> => {
  const { count, queries, keys, grid, order, place, pattern, slots } = blocks
  const { qText, kText, vText, early, textOut, qImage, kNear, vNear, near, far, share, imageOut } = saved
  const [n = 0, t = 0, e = 0] = dy.shape
  const { text } = grid
  const size = t - text
  const turned = pattern.kind === "column"

  const dText = part(dy, 0, text) // n x e
  const dEarly = tf.mul(early, against(withDelta(dText, textOut), grown(vText, 0, 1, 1))) // n x x

  const dImage = turned ? pick(dy, order, text) : part(dy, text, size) // n s e
  const extended = withDelta(dImage, imageOut) // n s e+1
  // The near keys' sum has a score and no key: a row of zeros where rows are summed, and cut off where they are kept.
  const dFar = tf.mul(far, against(extended, grown(vText, 1, 1, 1))) // n s x+1
  const dqFar = product(dFar, grown(kText, 1, 0)) // n s e
  const [dkFar, dvFar] = [part(across(dFar, qImage), 0, text), part(across(far, dImage), 0, text)] // n x e

  const [dShared, lessShared] = tf.split(tf.mul(extended, share), [e, 1], 2) // n s e, n s 1
  const dOut = tf.reshape(dShared!, [n * count, queries, e]) // (n c) p e
  const less = tf.reshape(lessShared!, [n * count, queries, 1])
  const dNear = tf.mul(near, tf.add(against(dOut, vNear), less)) // (n c) p l
  const dqNear = tf.reshape(product(dNear, kNear), [n, size, e]) // n s e
  /** What the slots of each image token hold, added up. (n c) l e -> n s e */
  const collect = (x: tf.Tensor): tf.Tensor => {
    const each = tf.reshape(x, [n, count * keys, e])
    return slots.map((slot) => pick(each, slot)).reduce((sum, more) => tf.add(sum, more))
  }
  const dkImage = collect(across(dNear, tf.reshape(qImage, [n * count, queries, e]))) // n s e
  const dvImage = collect(across(near, dOut)) // n s e

  const dqBlocks = tf.add(dqFar, dqNear) // n s e
  const dq = tf.concat([product(dEarly, kText), turned ? pick(dqBlocks, place) : dqBlocks], 1) // n t e
  return [
    tf.mul(dq, 1 / Math.sqrt(e)), // n t e
    tf.concat([tf.add(across(dEarly, qText), dkFar), dkImage], 1), // n t e
    tf.concat([tf.add(across(early, dText), dvFar), dvImage], 1), // n t e
  ]
}

/**
 * Scaled dot-product attention under a sparse pattern.
 * @param blocks  the pattern, of a sequence of t tokens
 * @param q       queries          float32  b h t e
 * @param k       keys             float32  b h t e
 * @param v       values           float32  b h t e
 * @returns       attended values  float32  b h t e
 * @fails         ShapeMismatch    t is not the pattern's number of tokens
 * @law           equals `attention` under the bias of `sparseMask`, value and gradients
 * @law           no value of the program is as large as the scores of all pairs
 * @source        Ramesh et al. 2021, appendix B.1
 */
export const sparseAttention = (blocks: SparseBlocks, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor => {
  const [b = 0, h = 0, t = 0, e = 0] = q.shape
  const { text, rows, columns } = blocks.grid
  if (t !== text + rows * columns) {
    throw new ShapeMismatch({
      where: "sparseAttention",
      expected: `${text} + ${rows} · ${columns} positions`,
      received: `${t} positions`,
      fix: "make the blocks for the sequence's text and image",
    })
  }
  const matrices = [q, k, v].map((x) => tf.reshape(x, [b * h, t, e])) as [tf.Tensor, tf.Tensor, tf.Tensor] // n t e
  const y = differentiable(
    matrices,
    (save) => {
      const [out, saved] = forward(blocks, ...matrices)
      save(names.map((name) => saved[name]))
      return out
    },
    (dy, saved) => backward(blocks, dy, Object.fromEntries(names.map((name, i) => [name, saved[i]!])) as Saved),
  )
  return tf.reshape(y, q.shape)
}
