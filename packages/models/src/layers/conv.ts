/** Convolutions as the papers' code has them: padded alike on all sides, by half the kernel. */
import * as tf from "@tensorflow/tfjs-core"

/**
 * @param x  float32  b y x c
 * @param p  weight   float32  k k c f, k odd; bias float32 f
 * @returns  float32  b y/stride x/stride f
 */
export const conv = (
  x: tf.Tensor,
  p: { readonly weight: tf.Tensor; readonly bias?: tf.Tensor },
  stride: 1 | 2 = 1,
): tf.Tensor => {
  const half = ((p.weight.shape[0] ?? 1) - 1) / 2
  const y = tf.conv2d(x as tf.Tensor4D, p.weight as tf.Tensor4D, stride, half)
  return p.bias === undefined ? y : tf.add(y, p.bias)
}
