import * as tf from "@tensorflow/tfjs-core"

/**
 * A number of a schedule for each row of a batch, to multiply data with.
 * @param numbers  one a step, in float64
 * @param time     int32    b       steps of the schedule
 * @param rank     of the data
 * @returns        float32  b 1 …   as many axes as the data has
 */
export const atTime = (numbers: Float64Array, time: tf.Tensor, rank: number): tf.Tensor => {
  const [b = 1] = time.shape
  const table = tf.tensor1d(Float32Array.from(numbers))
  return tf.reshape(tf.gather(table, tf.reshape(time, [b]) as tf.Tensor1D), [b, ...Array<number>(rank - 1).fill(1)])
}
