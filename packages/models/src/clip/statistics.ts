/**
 * The running statistics of a modified ResNet's batch norms: what a network that was trained with the moments of each
 * batch (`norm: "batch"`) needs beside its weights to infer (`norm: "running"`).
 *
 *   moments of some batches ──population──► mean, variance      all at once, from the finished weights
 *   moments of each step    ──running─────► mean, variance      on the way, as PyTorch does
 *
 * Nothing is updated behind a step: its gradient never depends on them, so a step stays a function of its inputs.
 */
import {
  BadConfig,
  BadData,
  flatten,
  float32,
  type HostTensor,
  type HostTensors,
  isParamSpec,
  mapTree,
  type ParamSpec,
  spec,
  type TensorFunction,
  type Tensors,
} from "@millrace/core"
import type * as tf from "@tensorflow/tfjs-core"
import { type ClipConfig, clipParams } from "./clip.js"
import { type ResNetParams, resNetParams, resNetTrunk } from "./resNet.js"

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

/**
 * `resNetMoments` for an engine, beside a trainer of `clipTraining` whose parameters it reads where they are.
 * State `params`, all of `clipParams`. Input `pixels`, a batch of preprocessed images. Outputs the moments, by the names
 * of `clipParams` under `norm: "running"`.
 * @throws BadConfig  a CLIP without batch norms that train
 */
export const clipMoments = (config: ClipConfig, batch: number): TensorFunction => {
  const { image, joint } = config
  if (image.kind !== "resnet" || image.norm === "running") {
    throw new BadConfig({
      where: "clipMoments",
      expected: 'a modified ResNet of norm "batch"',
      received: image.kind === "vit" ? "a vision transformer" : 'norm "running"',
      fix: "statistics are measured on the network that trains, and a vision transformer needs none",
    })
  }
  const params = flatten<ParamSpec>(clipParams(config), isParamSpec)
  return {
    name: "clip.moments",
    state: {
      params: Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, spec("float32", shape)])),
    },
    inputs: { pixels: spec("float32", [batch, image.size, image.size, 3]) },
    body: (state, { pixels }) => {
      const p = mapTree<ParamSpec, tf.Tensor>(
        resNetParams(image, joint),
        isParamSpec,
        (name) => state.params![`image.${name}`]!,
      ) as ResNetParams
      const moments = Object.entries(resNetMoments(p, pixels!))
      return { outputs: Object.fromEntries(moments.map(([name, value]) => [`image.${name}`, value])) }
    },
  }
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
