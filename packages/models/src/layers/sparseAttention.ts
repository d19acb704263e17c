/**
 * Attention of a sparse transformer, block by block.
 *
 * An image token's keys are all of the text, `far`, and a few image tokens, `near` it by its layer's pattern. Near scores
 * are products of blocks. The one softmax over both is done in two, each of which also gives its log-sum-exp; these say
 * what share each has:
 *
 *   softmax over near and far = [ share · softmax over near, (1 − share) · softmax over far ]
 *   share                     = sigmoid(log-sum-exp of near − log-sum-exp of far)
 *
 * Shares scale rows of e numbers and never scores. No score is copied, and no exponential overflows.
 * Axes   b batch, t position, s image position, h heads, e head width; in comments n = b · h, c blocks, p queries and
 *        l keys of a block, x text position
 */
import { differentiable, logSoftmax, ShapeMismatch } from "@millrace/core/definitions"
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
  const scale = 1 / Math.sqrt(e)

  const [qText, kText, vText] = [part(q, 0, text), part(k, 0, text), part(v, 0, text)] // n x e
  const early = tf.softmax(tf.add(tf.mul(against(qText, kText), scale), causalBias(text))) // n x x
  const textOut = product(early, vText) // n x e

  const turned = pattern.kind === "column"
  const qImage = turned ? pick(q, order, text) : part(q, text, size) // n s e
  const nearOf = (x: tf.Tensor): tf.Tensor => tf.reshape(pick(x, blocks.keyAt, text), [n * count, keys, e])
  const [kNear, vNear] = [nearOf(k), nearOf(v)] // (n c) l e
  const products = tf.mul(against(tf.reshape(qImage, [n * count, queries, e]), kNear), scale) // (n c) p l
  const bias = tf.tensor(blocks.bias, [count, queries, keys])
  const scores = tf.add(tf.reshape(products, [n, count, queries, keys]), bias) // n c p l
  const logs = logSoftmax(scores) // n c p l
  const near = tf.reshape(tf.exp(logs), [n * count, queries, keys]) // (n c) p l
  const ofSelf = (x: tf.Tensor): tf.Tensor => pick(tf.reshape(x, [n, size * keys, 1]), blocks.self)
  const nearTotal = tf.sub(ofSelf(scores), ofSelf(logs)) // n s 1, the log-sum-exp of near scores
  const nearOut = tf.reshape(product(near, vNear), [n, size, e]) // n s e

  const farScores = tf.mul(against(qImage, kText), scale) // n s x
  const farLogs = logSoftmax(farScores) // n s x
  const far = tf.exp(farLogs) // n s x
  const ofFirst = (x: tf.Tensor): tf.Tensor => tf.slice(x, [0, 0, 0], [n, size, 1])
  const farTotal = tf.sub(ofFirst(farScores), ofFirst(farLogs)) // n s 1
  const share = tf.sigmoid(tf.sub(nearTotal, farTotal)) // n s 1
  const imageOut = tf.add(tf.mul(product(far, vText), tf.sub(1, share)), tf.mul(nearOut, share)) // n s e
  return [
    tf.concat([textOut, turned ? pick(imageOut, place) : imageOut], 1), // n t e
    { qText, kText, vText, early, textOut, qImage, kNear, vNear, near, far, share, imageOut },
  ]
}

/** −δ = −Σ_e dy · y. n t e -> n t 1 */
const lessOf = (dy: tf.Tensor, y: tf.Tensor): tf.Tensor => tf.neg(tf.sum(tf.mul(dy, y), 2, true))

/**
 * With P the probabilities and δ = Σ_e dy · y: dv = Pᵀ dy and dscores = P ∘ (dy vᵀ − δ), of near and of far keys alone with
 * dy and δ times their share.
 */
const backward = (blocks: SparseBlocks, dy: tf.Tensor, saved: Saved): Array<tf.Tensor> => {
  const { count, queries, keys, grid, order, place, pattern, slots } = blocks
  const { qText, kText, vText, early, textOut, qImage, kNear, vNear, near, far, share, imageOut } = saved
  const [n = 0, t = 0, e = 0] = dy.shape
  const { text } = grid
  const size = t - text
  const scale = 1 / Math.sqrt(e)
  const turned = pattern.kind === "column"

  const dText = part(dy, 0, text) // n x e
  const dEarly = tf.mul(early, tf.add(against(dText, vText), lessOf(dText, textOut))) // n x x

  const dImage = turned ? pick(dy, order, text) : part(dy, text, size) // n s e
  const less = lessOf(dImage, imageOut) // n s 1
  const farShare = tf.sub(1, share) // n s 1
  const dFarOut = tf.mul(dImage, farShare) // n s e
  const dFar = tf.mul(far, tf.add(against(dFarOut, vText), tf.mul(less, farShare))) // n s x
  const dqFar = tf.mul(product(dFar, kText), scale) // n s e
  const [dkFar, dvFar] = [tf.mul(across(dFar, qImage), scale), across(far, dFarOut)] // n x e

  const dOut = tf.reshape(tf.mul(dImage, share), [n * count, queries, e]) // (n c) p e
  const lessNear = tf.reshape(tf.mul(less, share), [n * count, queries, 1])
  const dNear = tf.mul(near, tf.add(against(dOut, vNear), lessNear)) // (n c) p l
  const dqNear = tf.reshape(tf.mul(product(dNear, kNear), scale), [n, size, e]) // n s e
  /** What the slots of each image token hold, added up. (n c) l e -> n s e */
  const collect = (x: tf.Tensor): tf.Tensor => {
    const each = tf.reshape(x, [n, count * keys, e])
    return slots.map((slot) => pick(each, slot)).reduce((sum, more) => tf.add(sum, more))
  }
  const dkImage = collect(tf.mul(across(dNear, tf.reshape(qImage, [n * count, queries, e])), scale)) // n s e
  const dvImage = collect(across(near, dOut)) // n s e

  const dqBlocks = tf.add(dqFar, dqNear) // n s e
  return [
    tf.concat([tf.mul(product(dEarly, kText), scale), turned ? pick(dqBlocks, place) : dqBlocks], 1), // n t e
    tf.concat([tf.add(tf.mul(across(dEarly, qText), scale), dkFar), dkImage], 1), // n t e
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
