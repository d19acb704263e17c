/** Rows of a table. */
import * as tf from "@tensorflow/tfjs-core"
import { differentiable, runFused } from "./differentiable.js"

/**
 * The rows of `table` that `ids` name. The gradient adds up in a fixed order, so that it is repeatable.
 * @param table  [v, d]
 * @param ids    int32 [...], each in 0 … v − 1
 * @returns      [..., d]
 */
export const embed = (table: tf.Tensor, ids: tf.Tensor): tf.Tensor => {
  const [vocabulary, width] = table.shape as [number, number]
  const rows = differentiable(
    [table],
    (save) => {
      const flat = tf.reshape(ids, [-1])
      save([flat])
      return tf.gather(table, flat)
    },
    (dy, [flat]) => runFused("EmbedGrad", { ids: flat!, dy }, { vocabulary }),
  )
  return tf.reshape(rows, [...ids.shape, width])
}
