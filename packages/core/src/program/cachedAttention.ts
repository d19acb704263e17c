/**
 * New positions of attention over a cache, in tfjs operations, and their row in the kernel table.
 * Axes   b batch, t new position, h heads, s slot, e head width
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Kernel } from "./kernels.js"
import { input, real } from "./shapes.js"

/** Added to the score of a slot that is not seen: `exp` of it is exactly 0 in float32. */
const unseen = -1e9

const counted = (length: number, stride: number, shape: [number, number]): tf.Tensor =>
  tf.tensor2d(
    Int32Array.from({ length }, (_, i) => i * stride),
    shape,
    "int32",
  )

/**
 * The new position is not read from the table that it is written to: an engine that writes rows by itself then never needs
 * the written table before the next step.
 */
const onePosition = ([qkv, keys, values, lengths]: ReadonlyArray<tf.Tensor>): ReadonlyArray<tf.Tensor> => {
  const [b, h, s, e] = keys!.shape as [number, number, number, number]
  const [q, k, v] = tf.split(qkv!, 3, 1).map((part) => tf.reshape(part, [b, h, 1, e])) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ]
  const at = tf.reshape(lengths!, [b, 1])
  const rows = tf.reshape(tf.add(counted(b * h, s, [b, h]), at), [b * h, 1])
  const written = (table: tf.Tensor, update: tf.Tensor): tf.Tensor => {
    const flat = tf.tensorScatterUpdate(tf.reshape(table, [-1, e]), rows, tf.reshape(update, [-1, e]))
    return tf.reshape(flat, table.shape)
  }
  const bias = tf.reshape(tf.where(tf.less(counted(s, 1, [1, s]), at), tf.scalar(0), tf.scalar(unseen)), [b, 1, 1, s])
  const scaled = tf.mul(q, 1 / Math.sqrt(e)) // b h 1 e
  // The query as a column: engines have a faster kernel for a matrix times a column than for a transposed matrix.
  const products = tf.reshape(tf.matMul(keys!, tf.reshape(scaled, [b, h, e, 1])), [b, h, 1, s])
  const scores = tf.concat([tf.add(products, bias), tf.sum(tf.mul(scaled, k), -1, true)], 3) // b h 1 s+1
  const [past, present] = tf.split(tf.softmax(scores), [s, 1], 3) as [tf.Tensor, tf.Tensor]
  const attended = tf.add(tf.matMul(past, values!), tf.mul(present, v)) // b h 1 e
  return [tf.reshape(attended, [b, h * e]), written(keys!, k), written(values!, v)]
}

/** The first positions of all rows: each sees those up to itself, and nothing of what was in the tables. */
const firstPositions = ([qkv, keys, values]: ReadonlyArray<tf.Tensor>): ReadonlyArray<tf.Tensor> => {
  const [b, h, s, e] = keys!.shape as [number, number, number, number]
  const t = qkv!.shape[1] ?? 0
  const [q, k, v] = tf.split(qkv!, 3, 2).map((part) => tf.transpose(tf.reshape(part, [b, t, h, e]), [0, 2, 1, 3])) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ]
  const products = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(e)) // b h t t
  const bias = tf.where(tf.lessEqual(counted(t, 1, [1, t]), counted(t, 1, [t, 1])), tf.scalar(0), tf.scalar(unseen))
  const attended = tf.matMul(tf.softmax(tf.add(products, bias)), v) // b h t e
  const written = (table: tf.Tensor, first: tf.Tensor): tf.Tensor =>
    t === s ? first : tf.concat([first, tf.slice(table, [0, 0, t, 0], [b, h, s - t, e])], 2)
  return [tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), [b, t, h * e]), written(keys!, k), written(values!, v)]
}

/** Without lengths `qkv` are the first positions of every row, b t (3 h e); with them one more each, b (3 h e). */
export const cachedAttentionMeaning = (inputs: ReadonlyArray<tf.Tensor>): ReadonlyArray<tf.Tensor> =>
  inputs.length === 3 ? firstPositions(inputs) : onePosition(inputs)

export const cachedAttentionKernel: Kernel = {
  inputs: ["qkv", "keys", "values", "lengths?"],
  infer: (ins, attrs) => {
    const { dtype, shape } = input(ins)
    const tables = real((both) => both)(ins.slice(1, 3), attrs)
    const [keys, values] = tables.map((table) => table.shape)
    const [b = 0, h = 0, s = 0, e = 0] = keys!
    if (keys!.length !== 4 || String(keys) !== String(values)) {
      throw new Error(`cachedAttention: keys [${keys}] and values [${values}] must be one shape b h s e`)
    }
    const lengths = ins[3]
    const t = shape[1] ?? 0
    const leading = lengths === undefined ? [b, t] : [b]
    if (dtype !== "float32" || String(shape) !== String([...leading, 3 * h * e])) {
      throw new Error(
        `cachedAttention: queries, keys and values must be float32 [${[...leading, 3 * h * e]}], not [${shape}]`,
      )
    }
    if (lengths === undefined) {
      if (t < 1 || t > s) throw new Error(`cachedAttention: ${t} positions do not fit into ${s} slots`)
    } else if (lengths.dtype !== "int32" || String(lengths.shape) !== String([b])) {
      throw new Error(`cachedAttention: lengths must be int32 [${b}], not ${lengths.dtype} [${lengths.shape}]`)
    }
    return [{ dtype, shape: [...leading, h * e] }, ...tables]
  },
}
