/** Gaussian blur. */
import * as tf from "@tensorflow/tfjs-core"

/**
 * Samples of a normal density that sum to 1, as weights of neighbours.
 * @param size   odd
 * @param sigma  in pixels
 */
export const gaussianTaps = (size: number, sigma: number): ReadonlyArray<number> => {
  const half = (size - 1) / 2
  const density = Array.from({ length: size }, (_, i) => Math.exp(-(((i - half) / sigma) ** 2) / 2))
  const sum = density.reduce((a, b) => a + b)
  return density.map((x) => x / sum)
}

/** Neighbours along an axis added up by their weights; the image goes on beyond its edges as its mirror image. */
const mixed = (x: tf.Tensor, taps: tf.Tensor, axis: 1 | 2): tf.Tensor => {
  const [b = 0, size = 0] = taps.shape
  const half = (size - 1) / 2
  const around = [0, 1, 2, 3].map((i): [number, number] => (i === axis ? [half, half] : [0, 0]))
  const padded = tf.mirrorPad(x, around, "symmetric")
  return tf.addN(
    Array.from({ length: size }, (_, tap) => {
      const begin = [0, 1, 2, 3].map((i) => (i === axis ? tap : 0))
      return tf.mul(tf.slice(padded, begin, x.shape), tf.reshape(tf.slice(taps, [0, tap], [b, 1]), [b, 1, 1, 1]))
    }),
  )
}

/**
 * Images blurred along rows and columns, each image by weights of its own or all of them alike.
 *
 * The mirror image at the edges repeats the edge itself, which the papers leave open: so the mean of an image stays.
 * @param x        float32  b y x c
 * @param rows     weights of neighbours in y, symmetric, summing to 1  float32  b k or 1 k, k odd
 * @param columns  the same in x
 * @returns        float32  b y x c
 * @law            the mean of an image stays, and so does a constant image
 */
export const blur = (x: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor): tf.Tensor =>
  mixed(mixed(x, rows, 1), columns, 2)
