/**
 * The forward process of diffusion: how much of an image is left after some steps of noise.
 * Axes   b batch, y x image row and column, c channels
 */
import * as tf from "@tensorflow/tfjs-core"

/**
 * ᾱ of each step: the share of an image's variance that is left.
 * @source  Nichol and Dhariwal 2021, equation 17: a squared cosine, with β at most 0.999
 */
export const alphaBars = (steps: number): Float32Array => {
  const left = (t: number): number => Math.cos(((t / steps + 0.008) / 1.008) * (Math.PI / 2)) ** 2
  let product = 1
  return Float32Array.from({ length: steps }, (_, t) => {
    product *= 1 - Math.min(1 - left(t + 1) / left(t), 0.999)
    return product
  })
}

/**
 * √ᾱ image + √(1 − ᾱ) noise.
 * @param image  float32  b y x c
 * @param noise  float32  b y x c   standard normal
 * @param time   int32    b
 */
export const noisy = (schedule: Float32Array, image: tf.Tensor, noise: tf.Tensor, time: tf.Tensor): tf.Tensor => {
  const left = tf.reshape(tf.gather(tf.tensor1d(schedule), time as tf.Tensor1D), [-1, 1, 1, 1]) // b 1 1 1
  return tf.add(tf.mul(image, tf.sqrt(left)), tf.mul(noise, tf.sqrt(tf.sub(1, left))))
}
