/**
 * The key-value cache: what attention has seen, kept so that a new token costs one position and not all.
 * Axes   b batch, h heads, s slot, e head width
 *
 * One tensor of keys and one of values a layer, `b h s e`: the layout of attention, so that a step transposes nothing.
 * A new position is one row for each of the b · h parts.
 */
import { type Specs, spec } from "@millrace/core"
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

/** Rows `b h slot` of a cache, as indices for `writeSlot`. `slot` is an int32 scalar. int32 (b h) 3 */
export const slotRows = (batch: number, heads: number, slot: tf.Tensor): tf.Tensor => {
  const n = batch * heads
  const at = (of: (i: number) => number): tf.Tensor =>
    tf.tensor2d(
      Int32Array.from({ length: n }, (_, i) => of(i)),
      [n, 1],
      "int32",
    )
  const slots = tf.add(tf.reshape(slot, [1, 1]), tf.zeros([n, 1], "int32"))
  return tf.concat([at((i) => Math.floor(i / heads)), at((i) => i % heads), slots], 1)
}

/** The cache with one position written. `cache` b h s e, `rows` from `slotRows`, `update` b h 1 e. */
export const writeSlot = (cache: tf.Tensor, rows: tf.Tensor, update: tf.Tensor): tf.Tensor => {
  const [b = 0, h = 0, , e = 0] = cache.shape
  return tf.tensorScatterUpdate(cache, rows, tf.reshape(update, [b * h, e]))
}

/** Keys or values of the first positions, `b h t e`, with the slots after them empty: `b h s e`. */
export const fillSlots = (filled: tf.Tensor, slots: number): tf.Tensor =>
  tf.pad(filled, [
    [0, 0],
    [0, 0],
    [0, slots - (filled.shape[2] ?? 0)],
    [0, 0],
  ])
