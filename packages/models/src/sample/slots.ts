/**
 * Positions written into a table of keys or values.
 * Axes   b batch, h heads, s slot, e head width
 */
import * as tf from "@tensorflow/tfjs-core"

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
