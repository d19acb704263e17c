/** How networks of diffusion are told the time. */
import * as tf from "@tensorflow/tfjs-core"

/**
 * cos and sin of a time at frequencies from 1 down to 1/10,000, side by side.
 * @param time   int32    b
 * @param width  even
 * @returns      float32  b width
 * @source       Ho et al. 2020, appendix B; the order of cos and sin is openai/guided-diffusion's
 */
export const timeWaves = (time: tf.Tensor, width: number): tf.Tensor => {
  const half = width / 2
  const frequencies = tf.tensor1d(Float32Array.from({ length: half }, (_, i) => 10_000 ** (-i / half)))
  const angles = tf.mul(tf.reshape(tf.cast(time, "float32"), [-1, 1]), frequencies) // b width/2
  return tf.concat([tf.cos(angles), tf.sin(angles)], 1)
}
