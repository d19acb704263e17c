/** The time of a diffusion as waves. */
import * as tf from "@tensorflow/tfjs-core"

/**
 * cos and then sin of the time at frequencies from 1 down to almost 1/10,000; an odd width ends in a 0.
 * @param time  steps of noise that were added  int32 or float32  b
 * @returns     float32  b d
 * @source      Vaswani et al. 2017, section 3.5; openai/guided-diffusion `nn.py`, timestep_embedding
 */
export const timeWaves = (time: tf.Tensor, width: number): tf.Tensor => {
  const half = Math.floor(width / 2)
  const frequencies = tf.tensor1d(Float32Array.from({ length: half }, (_, i) => 10_000 ** (-i / half)))
  const angles = tf.mul(tf.reshape(tf.cast(time, "float32"), [-1, 1]), frequencies) // b d/2
  const waves = tf.concat([tf.cos(angles), tf.sin(angles)], 1)
  return width % 2 === 0
    ? waves
    : tf.pad(waves, [
        [0, 0],
        [0, 1],
      ])
}
