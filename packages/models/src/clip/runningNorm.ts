/** Batch normalisation with the moments of the batch, or with running ones that came with the weights. */
import { batchNorm, type Init, ones, type ParamSpec, zeros } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { normOf, param } from "../layers/params.js"

/** Of one batch norm: with `mean` and `variance` it infers, without them it trains. All c */
export type NormTree<Leaf> = {
  readonly gain: Leaf
  readonly bias: Leaf
  readonly mean?: Leaf
  readonly variance?: Leaf
}

/** Parameters of one batch norm. Running statistics do not learn, and start as PyTorch starts them. */
export const normParams = (
  norm: "batch" | "running" | undefined,
  channels: number,
  gain: Init = ones,
): NormTree<ParamSpec> => ({
  ...normOf(channels, gain),
  ...(norm === "running"
    ? {
        mean: { ...param([channels], zeros), learns: false },
        variance: { ...param([channels], ones), learns: false },
      }
    : {}),
})

/** Is told the moments of each batch norm that trains, by its place. The variance is the unbiased one. float32 c, both */
export type NormSeen = (place: string, mean: tf.Tensor, variance: tf.Tensor) => void

const epsilon = 1e-5

/**
 * What normalises each place of a network.
 * @param x  float32  b y x c
 * @returns  float32  b y x c
 * @source   Ioffe and Szegedy 2015, algorithm 1 with the moments of the batch, algorithm 2 with running ones
 */
export const normaliser =
  (seen?: NormSeen) =>
  (place: string, p: NormTree<tf.Tensor>, x: tf.Tensor): tf.Tensor => {
    if (p.mean !== undefined && p.variance !== undefined) {
      const slope = tf.mul(p.gain, tf.rsqrt(tf.add(p.variance, epsilon))) // c
      return tf.add(tf.mul(x, slope), tf.sub(p.bias, tf.mul(p.mean, slope)))
    }
    const { y, mean, variance } = batchNorm(x, p.gain as tf.Tensor1D, p.bias as tf.Tensor1D, epsilon)
    if (seen !== undefined) {
      const count = x.size / mean.size
      seen(place, mean, tf.mul(variance, count / Math.max(1, count - 1)))
    }
    return y
  }
