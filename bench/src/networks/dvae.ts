/**
 * The discrete VAE of DALL·E: an image as a grid of codes, and back.
 *   image -> encoder -> logits of codes -> relaxed codes -> decoder -> a logit-Laplace distribution of each pixel
 * Source   Ramesh et al. 2021, section 2.1 and appendix A; openai/DALL-E `encoder.py`, `decoder.py`.
 * Differs  The relaxation's temperature and the weight of the KL term are numbers here, and not schedules.
 * Axes     b batch, y x image row and column, c channels, k codebook
 */

import type { Key } from "@millrace/core"
import { logSoftmax, type ParamsOf, random, softmax, split, withPath } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { conv } from "./conv.js"
import { type Network, objectiveFrom, specsOfBatch } from "./network.js"
import { convOf } from "./params.js"

export interface DvaeConfig {
  /** Pixels of an image's side. */
  readonly size: number
  /** Between two groups the encoder halves the sides and the decoder doubles them. */
  readonly groups: number
  /** Blocks of a group. */
  readonly blocks: number
  /** Channels of the first group; each further one has twice as many. */
  readonly width: number
  /** Channels that the decoder begins with. */
  readonly first: number
  readonly vocab: number
  /** Of the relaxation; 1 at the start of training, 1/16 in the end. */
  readonly temperature: number
  /** Weight of the KL term, 6.6 after its warm-up. */
  readonly kl: number
  readonly batch: number
}

// --- parameters

/** A quarter as wide inside as outside. The encoder's 1 × 1 kernel comes last, the decoder's first. */
const blockParams = (inputs: number, outputs: number, kernels: ReadonlyArray<1 | 3>) => {
  const inner = outputs / 4
  return {
    convs: kernels.map((size, i) => convOf(size, i === 0 ? inputs : inner, i === kernels.length - 1 ? outputs : inner)),
    ...(inputs === outputs ? {} : { skip: convOf(1, inputs, outputs) }),
  }
}

const groupParams = (inputs: number, outputs: number, blocks: number, kernels: ReadonlyArray<1 | 3>) =>
  Array.from({ length: blocks }, (_, i) => blockParams(i === 0 ? inputs : outputs, outputs, kernels))

const encoderKernels = [3, 3, 3, 1] as const
const decoderKernels = [1, 3, 3, 3] as const

export const dvaeParams = ({ groups, blocks, width, first, vocab }: DvaeConfig) => {
  const widths = Array.from({ length: groups }, (_, i) => width * 2 ** i)
  const deep = widths.toReversed()
  return {
    encoder: {
      input: convOf(7, 3, width),
      groups: widths.map((w, i) => groupParams(widths[i - 1] ?? width, w, blocks, encoderKernels)),
      output: convOf(1, widths[groups - 1]!, vocab),
    },
    decoder: {
      input: convOf(1, vocab, first),
      groups: deep.map((w, i) => groupParams(deep[i - 1] ?? first, w, blocks, decoderKernels)),
      output: convOf(1, width, 6),
    },
  }
}

// --- forward

type Params = ParamsOf<ReturnType<typeof dvaeParams>>
type Group = Params["encoder"]["groups"][number]

/** `gain` keeps the sum of many blocks as large as one of them. */
const block = (p: Group[number], x: tf.Tensor, gain: number): tf.Tensor => {
  const residual = p.convs.reduce((y, kernel) => conv(tf.relu(y), kernel), x)
  return tf.add(p.skip === undefined ? x : conv(x, p.skip), tf.mul(residual, gain))
}

const group = (p: Group, x: tf.Tensor, gain: number): tf.Tensor => p.reduce((y, b) => block(b, y, gain), x)

const gainOf = ({ groups, blocks }: DvaeConfig): number => 1 / (groups * blocks) ** 2

const halved = (x: tf.Tensor): tf.Tensor => tf.maxPool(x as tf.Tensor4D, 2, 2, "valid")

const doubled = (x: tf.Tensor): tf.Tensor => {
  const [, y = 0, width = 0] = x.shape
  return tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [2 * y, 2 * width])
}

/** Logits of the codes. `b y x c` -> `b y/2^(groups-1) x/2^(groups-1) k` */
export const dvaeEncode = (config: DvaeConfig, p: Params["encoder"], image: tf.Tensor): tf.Tensor => {
  let x = conv(image, p.input)
  for (const [i, blocks] of p.groups.entries()) {
    const wide = withPath(`groups.${i}`, () => group(blocks, x, gainOf(config)))
    x = i < p.groups.length - 1 ? halved(wide) : wide
  }
  return conv(tf.relu(x), p.output)
}

/** Means and logarithms of the widths of the pixels' distributions. `b y x k` -> `b y x 6`, the sides as the image's */
export const dvaeDecode = (config: DvaeConfig, p: Params["decoder"], codes: tf.Tensor): tf.Tensor => {
  let x = conv(codes, p.input)
  for (const [i, blocks] of p.groups.entries()) {
    const wide = withPath(`groups.${i}`, () => group(blocks, x, gainOf(config)))
    x = i < p.groups.length - 1 ? doubled(wide) : wide
  }
  return conv(tf.relu(x), p.output)
}

/**
 * The negative logarithm of the logit-Laplace density, summed over each image.
 * @param x      float32  b y x 3   in (0, 1)
 * @param stats  float32  b y x 6   μ, then ln of the width
 * @returns      float32  b
 * @source       Ramesh et al. 2021, equation 2
 */
export const logitLaplace = (x: tf.Tensor, stats: tf.Tensor): tf.Tensor => {
  const [mean, logWidth] = tf.split(stats, 2, 3) as [tf.Tensor, tf.Tensor]
  const rest = tf.sub(1, x)
  const distance = tf.abs(tf.sub(tf.log(tf.div(x, rest)), mean))
  const density = tf.add(
    tf.mul(distance, tf.exp(tf.neg(logWidth))),
    tf.add(logWidth, tf.log(tf.mul(tf.mul(x, rest), 2))),
  )
  return tf.sum(density, [1, 2, 3])
}

/** KL of each image's codes from the uniform prior, in nats: Σ over places of ln k − entropy. `b y x k` -> `b` */
export const uniformKl = (logits: tf.Tensor): tf.Tensor => {
  const [, y = 0, x = 0, k = 0] = logits.shape
  const logProbs = logSoftmax(logits) // b y x k
  return tf.add(tf.sum(tf.mul(tf.exp(logProbs), logProbs), [1, 2, 3]), y * x * Math.log(k))
}

/** Keeps logits of pixels finite. */
const margin = 0.1

/**
 * The negative evidence bound of a pixel and channel, in nats.
 * @param image   float32  b y x 3   in [0, 1]
 * @param gumbel  float32  b y x k   standard Gumbel noise, of the codes' sides
 */
const dvaeLoss = (config: DvaeConfig, p: Params, image: tf.Tensor, gumbel: tf.Tensor): tf.Tensor => {
  const x = tf.add(tf.mul(image, 1 - 2 * margin), margin)
  const logits = withPath("encoder", () => dvaeEncode(config, p.encoder, x))
  const codes = softmax(tf.div(tf.add(logits, gumbel), config.temperature))
  const stats = withPath("decoder", () => dvaeDecode(config, p.decoder, codes))
  const bound = tf.add(logitLaplace(x, stats), tf.mul(uniformKl(logits), config.kl)) // b
  return tf.div(tf.mean(bound), config.size ** 2 * 3)
}

export const dvaeNetwork = (config: DvaeConfig, key: Key): Network => {
  const { batch, size, groups, vocab } = config
  const side = size / 2 ** (groups - 1)
  const values = {
    image: random.uniform(split(key, "image"), [batch, size, size, 3]),
    gumbel: random.gumbel(split(key, "gumbel"), [batch, side, side, vocab]),
  }
  const loss = objectiveFrom("dvae", dvaeParams(config), (p, inputs) =>
    dvaeLoss(config, p, inputs.image!, inputs.gumbel!),
  )
  return { objective: loss, inputs: specsOfBatch(values), batch: values }
}
