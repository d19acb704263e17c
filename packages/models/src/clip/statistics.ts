/**
 * The running statistics of a modified ResNet's batch norms: what a network that was trained with the moments of each
 * batch (`norm: "batch"`) needs beside its weights to infer (`norm: "running"`).
 *
 *   moments of some batches ──population──► mean, variance      all at once, from the finished weights
 *   moments of each step    ──running─────► mean, variance      on the way, as PyTorch does
 */
import { BadData, float32, type HostTensor, type HostTensors, type Tensors } from "@millrace/core"
import type * as tf from "@tensorflow/tfjs-core"
import { type ResNetParams, resNetTrunk } from "./resNet.js"

/**
 * The moments of every batch norm on one batch, by the names that the parameters have under `norm: "running"`:
 * `stem.norm1.mean`, `stem.norm1.variance` (unbiased), …
 * @param p      parameters of a network of `norm: "batch"`
 * @param image  float32  b y x c   preprocessed
 */
export const resNetMoments = (p: ResNetParams, image: tf.Tensor): Tensors => {
  const moments: Record<string, tf.Tensor> = {}
  resNetTrunk(p, image, (place, mean, variance) => {
    moments[`${place}.mean`] = mean
    moments[`${place}.variance`] = variance
  })
  return moments
}

const combine = (tensors: ReadonlyArray<HostTensor>, weights: ReadonlyArray<number>): HostTensor =>
  float32(
    tensors[0]!.shape,
    Float32Array.from({ length: tensors[0]!.data.length }, (_, i) =>
      tensors.reduce((sum, { data }, n) => sum + weights[n]! * data[i]!, 0),
    ),
  )

/**
 * Statistics over a whole population, from the moments of some batches of one size with the finished weights: their means.
 * @throws BadData  no batch
 * @source Ioffe and Szegedy 2015, algorithm 2, steps 8 to 10
 */
export const populationStatistics = (batches: ReadonlyArray<HostTensors>): HostTensors => {
  const [first] = batches
  if (first === undefined) {
    throw new BadData({
      where: "populationStatistics",
      expected: "the moments of at least one batch",
      received: "none",
      fix: "run resNetMoments on some batches of the training data",
    })
  }
  const weights = batches.map(() => 1 / batches.length)
  return Object.fromEntries(
    Object.keys(first).map((name) => [
      name,
      combine(
        batches.map((batch) => batch[name]!),
        weights,
      ),
    ]),
  )
}

/**
 * Statistics after one more batch: they keep 1 − momentum of themselves. They start as mean 0 and variance 1.
 * @param momentum  0.1 is PyTorch's, and so of openai/CLIP and open_clip
 */
export const runningStatistics = (statistics: HostTensors, moments: HostTensors, momentum = 0.1): HostTensors =>
  Object.fromEntries(
    Object.entries(statistics).map(([name, value]) => [
      name,
      combine([value, moments[name] ?? value], [1 - momentum, momentum]),
    ]),
  )
