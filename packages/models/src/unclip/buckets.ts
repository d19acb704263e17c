/**
 * Numbers as one of a few buckets, and back: the codes of unCLIP's autoregressive prior.
 * Axes   b batch, k component
 */
import { BadData, float32, type HostTensor } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"

/** The range of each component that its buckets share out evenly. */
export interface Range {
  /** float32  k */
  readonly low: HostTensor
  /** float32  k */
  readonly high: HostTensor
}

/**
 * The ranges of components over samples, from the smallest to the largest of each. The paper does not say how the edges
 * of its 1,024 buckets lie; evenly over the range is what a bound on the error of each component asks for.
 * @param samples  float32  n k
 * @throws BadData  a component that is the same in all samples: nothing can be told by it
 */
export const fitRange = (samples: HostTensor): Range => {
  const [, k = 0] = samples.shape
  const low = new Float32Array(k).fill(Number.POSITIVE_INFINITY)
  const high = new Float32Array(k).fill(Number.NEGATIVE_INFINITY)
  for (const [i, x] of Array.from(samples.data).entries()) {
    low[i % k] = Math.min(low[i % k]!, x)
    high[i % k] = Math.max(high[i % k]!, x)
  }
  const flat = Array.from(low).findIndex((x, i) => !(x < high[i]!))
  if (flat >= 0 || k === 0) {
    throw new BadData({
      where: "fitRange",
      expected: "components that differ between samples",
      received: `component ${flat} is ${low[flat] ?? "missing"} in all of them`,
      fix: "keep fewer components, or give more samples",
    })
  }
  return { low: float32([k], low), high: float32([k], high) }
}

/**
 * The bucket of each number, those outside of the range in the first or the last.
 * @param x        float32  b k
 * @param low      float32  k
 * @param high     float32  k
 * @param buckets  how many
 * @returns        int32    b k   in 0 … buckets − 1
 * @law            a larger number is never in an earlier bucket
 */
export const quantise = (x: tf.Tensor, low: tf.Tensor, high: tf.Tensor, buckets: number): tf.Tensor => {
  const places = tf.mul(tf.div(tf.sub(x, low), tf.sub(high, low)), buckets) // b k
  return tf.cast(tf.clipByValue(tf.floor(places), 0, buckets - 1), "int32")
}

/**
 * The middle of each bucket.
 * @returns  float32  b k
 * @law      a number in the range is at most half a bucket away from its bucket's middle
 * @law      the bucket of a bucket's middle is the bucket
 */
export const dequantise = (codes: tf.Tensor, low: tf.Tensor, high: tf.Tensor, buckets: number): tf.Tensor =>
  tf.add(low, tf.mul(tf.div(tf.add(tf.cast(codes, "float32"), 0.5), buckets), tf.sub(high, low)))
