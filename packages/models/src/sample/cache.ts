/**
 * The key-value cache: what attention has seen, kept so that a new token costs one position and not all.
 * Axes   b batch, h heads, s slot, e head width
 *
 * One table of keys and one of values a layer, `b h s e`; a new position is b · h of its rows.
 */
import { type Specs, softmax, spec } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import type { GptConfig } from "../gpt.js"

export const keysOf = (layer: number): string => `blocks.${layer}.keys`
export const valuesOf = (layer: number): string => `blocks.${layer}.values`

/** The cache's tensors for `slots` positions. */
export const cacheSpecs = ({ layers, heads, width }: GptConfig, batch: number, slots: number): Specs =>
  Object.fromEntries(
    Array.from({ length: layers }, (_, l) => [keysOf(l), valuesOf(l)])
      .flat()
      .map((name) => [name, spec("float32", [batch, heads, slots, width / heads])]),
  )

/** The rows of one slot, for `writeSlot`. `slot` is an int32 scalar. int32 (b h) 1 */
export const slotRows = (parts: number, slots: number, slot: tf.Tensor): tf.Tensor => {
  const first = tf.tensor2d(
    Int32Array.from({ length: parts }, (_, i) => i * slots),
    [parts, 1],
    "int32",
  )
  return tf.add(first, slot)
}

/**
 * The table with one position written.
 * @param table   float32  b h s e
 * @param rows    `slotRows`
 * @param update  float32  b h 1 e
 */
export const writeSlot = (table: tf.Tensor, rows: tf.Tensor, update: tf.Tensor): tf.Tensor => {
  const width = table.shape.at(-1) ?? 0
  const written = tf.tensorScatterUpdate(tf.reshape(table, [-1, width]), rows, tf.reshape(update, [-1, width]))
  return tf.reshape(written, table.shape)
}

/**
 * Attention of one new position over itself and the positions in the cache, which it is not in yet: an engine then never
 * needs the written table before the next step, and does not copy it.
 * @param q       query of the position        float32  b h 1 e
 * @param own     its key and its value        float32  b h 1 e
 * @param cached  keys and values              float32  b h s e
 * @param bias    added to the cache's scores  float32  broadcast to b h 1 s
 * @returns       attended values              float32  b h 1 e
 */
export const attentionOverCache = (
  q: tf.Tensor,
  own: readonly [key: tf.Tensor, value: tf.Tensor],
  cached: readonly [keys: tf.Tensor, values: tf.Tensor],
  bias: tf.Tensor,
): tf.Tensor => {
  const [b = 0, h = 0, , e = 0] = q.shape
  const [keys, values] = cached
  const slots = keys.shape[2] ?? 0
  const scaled = tf.mul(q, 1 / Math.sqrt(e)) // b h 1 e
  // The query as a column: engines have a faster kernel for a matrix times a column than for a transposed matrix.
  const products = tf.reshape(tf.matMul(keys, tf.reshape(scaled, [b, h, e, 1])), [b, h, 1, slots])
  const scores = tf.concat([tf.add(products, bias), tf.sum(tf.mul(scaled, own[0]), -1, true)], 3) // b h 1 s+1
  const [past, present] = tf.split(softmax(scores), [slots, 1], 3) as [tf.Tensor, tf.Tensor]
  return tf.add(tf.matMul(past, values), tf.mul(present, own[1])) // b h 1 e
}

/** The table of the first positions' keys or values, `b h t e`, with the slots after them empty. float32 b h s e */
export const fillSlots = (filled: tf.Tensor, slots: number): tf.Tensor =>
  tf.pad(filled, [
    [0, 0],
    [0, 0],
    [0, slots - (filled.shape[2] ?? 0)],
    [0, 0],
  ])
