/** Images of other sides. */
import * as tf from "@tensorflow/tfjs-core"

export type Resampling = "bilinear" | "bicubic"

/** The weight of a sample at a distance. Keys' kernel has the slope −¾ at 1, as PyTorch's has. */
const kernels: Readonly<Record<Resampling, { readonly reach: number; readonly weight: (d: number) => number }>> = {
  bilinear: { reach: 1, weight: (d) => Math.max(0, 1 - d) },
  bicubic: {
    reach: 2,
    weight: (d) => {
      if (d < 1) return 1.25 * d ** 3 - 2.25 * d ** 2 + 1
      return d < 2 ? -0.75 * d ** 3 + 3.75 * d ** 2 - 6 * d + 3 : 0
    },
  },
}

/**
 * The weights with which `from` rows add up to `to` rows; those beyond the edges are copies of the edges.
 * @returns  to from
 */
const weightsOf = (from: number, to: number, resampling: Resampling): tf.Tensor2D => {
  const { reach, weight } = kernels[resampling]
  const data = new Float32Array(to * from)
  for (let row = 0; row < to; row++) {
    const at = ((row + 0.5) * from) / to - 0.5
    for (let tap = Math.floor(at) - reach + 1; tap <= Math.floor(at) + reach; tap++) {
      data[row * from + Math.max(0, Math.min(from - 1, tap))]! += weight(Math.abs(at - tap))
    }
  }
  return tf.tensor2d(data, [to, from])
}

/**
 * Images resized by interpolation between the centres of pixels. Not for making images much smaller: pixels would be
 * passed over.
 *
 * Rows and columns are mixed one after the other, each by one matrix product with a constant.
 * @param x   float32  b y x c
 * @param to  rows and columns
 * @returns   float32  b y' x' c
 * @law       constant images stay what they are; bicubic does not stay in the image's range
 * @source    Keys 1981, eq. 15, with a = −¾; `torch.nn.functional.interpolate(align_corners=False)`
 */
export const resizeImage = (
  x: tf.Tensor,
  to: readonly [rows: number, columns: number],
  resampling: Resampling,
): tf.Tensor => {
  const [b = 0, rows = 0, columns = 0, c = 0] = x.shape
  const across = tf.reshape(x, [b * rows, columns, c]) // (b y) x c
  const wide = tf.matMul(weightsOf(columns, to[1], resampling), across) // (b y) x' c
  const down = tf.reshape(wide, [b, rows, to[1] * c]) // b y (x' c)
  return tf.reshape(tf.matMul(weightsOf(rows, to[0], resampling), down), [b, ...to, c]) // b y' x' c
}
