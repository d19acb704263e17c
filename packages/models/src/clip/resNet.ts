/**
 * CLIP's modified ResNet: a stem of three convolutions, average pooling before every stride, attention pooling at the end.
 *   image -> stem /4 -> [ relu(skip x + norm conv pool relu norm conv relu norm conv x) ] * stages, /1 /2 /2 /2 -> pool
 * Source   Radford et al. 2021, section 2.4; openai/CLIP `model.py`, ModifiedResNet.
 * Axes     b batch, y x image row and column, c channels, j joint width
 */
import { type ParamsOf, withPath, zeros } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { conv } from "../layers/conv.js"
import { fanIn } from "../layers/fanIn.js"
import { halve } from "../layers/halve.js"
import { kernelOf } from "../layers/params.js"
import { Size } from "../layers/sizes.js"
import { attentionPool, attentionPoolParams } from "./attentionPool.js"
import { type NormSeen, normaliser, normParams } from "./runningNorm.js"

// --- config

/** How much wider a block's output is than its inner convolution. */
const expansion = 4
/** Strides of the four stages; the stem has 4 of its own. */
const strides = [1, 2, 2, 2] as const
/** Of the last stage's channels to the stem's. */
const widening = 8 * expansion

/**
 * The shape of a modified ResNet.
 *
 * - `size`: pixels of an image's side, a multiple of 32.
 * - `width`: channels after the stem, even. The last stage has 32 times as many.
 * - `stages`: bottleneck blocks of each.
 * - `heads` of the attention pool: 64 channels each unless given, as everywhere in CLIP.
 * - `norm`: what batch normalisation normalises with. `batch` (default) the moments of the batch, to train;
 *   `running` parameters of their own, `mean` and `variance` beside each gain and bias, which do not learn: to infer.
 */
export const ResNetConfig = Schema.Struct({
  kind: Schema.Literal("resnet"),
  size: Size,
  width: Size,
  stages: Schema.Tuple([Size, Size, Size, Size]),
  heads: Schema.optionalKey(Size),
  norm: Schema.optionalKey(Schema.Literals(["batch", "running"])),
}).check(
  Schema.makeFilter(({ size, width, heads = width / 2 }) => {
    if (size % 32 !== 0) return `size ${size} must be a multiple of 32`
    if (width % 2 !== 0) return `width ${width} must be even`
    return (width * widening) % heads === 0
      ? undefined
      : `width ${width} times ${widening} must be a multiple of heads ${heads}`
  }),
)
export type ResNetConfig = typeof ResNetConfig.Type

// --- parameters

const convOf = (size: number, inputs: number, outputs: number) =>
  kernelOf(size, inputs, outputs, fanIn(inputs * size * size))

type Norm = ResNetConfig["norm"]

const bottleneckParams = (norm: Norm, inputs: number, inner: number, stride: number) => {
  const outputs = inner * expansion
  return {
    conv1: convOf(1, inputs, inner),
    norm1: normParams(norm, inner),
    conv2: convOf(3, inner, inner),
    norm2: normParams(norm, inner),
    conv3: convOf(1, inner, outputs),
    // A gain of 0: at first every block is its skip alone.
    norm3: normParams(norm, outputs, zeros),
    ...(stride > 1 || inputs !== outputs
      ? { skip: { conv: convOf(1, inputs, outputs), norm: normParams(norm, outputs) } }
      : {}),
  }
}

const stageParams = (norm: Norm, inputs: number, inner: number, blocks: number, stride: number) =>
  Array.from({ length: blocks }, (_, i) =>
    i === 0 ? bottleneckParams(norm, inputs, inner, stride) : bottleneckParams(norm, inner * expansion, inner, 1),
  )

/** Parameters of a modified ResNet, as specs. Nothing is allocated, at any size. */
export const resNetParams = ({ size, width: w, stages, norm }: ResNetConfig, joint: number) => ({
  stem: {
    conv1: convOf(3, 3, w / 2),
    norm1: normParams(norm, w / 2),
    conv2: convOf(3, w / 2, w / 2),
    norm2: normParams(norm, w / 2),
    conv3: convOf(3, w / 2, w),
    norm3: normParams(norm, w),
  },
  stages: stages.map((blocks, i) =>
    stageParams(norm, i === 0 ? w : w * 2 ** (i - 1) * expansion, w * 2 ** i, blocks, strides[i]!),
  ),
  pool: attentionPoolParams((size / 32) ** 2, w * widening, joint),
})
export type ResNetParams = ParamsOf<ReturnType<typeof resNetParams>>

// --- forward

type Bottleneck = ResNetParams["stages"][number][number]

const bottleneck = (
  normalised: ReturnType<typeof normaliser>,
  place: string,
  p: Bottleneck,
  x: tf.Tensor,
  stride: number,
): tf.Tensor => {
  const pooled = (y: tf.Tensor): tf.Tensor => (stride > 1 ? halve(y) : y)
  const y1 = tf.relu(normalised(`${place}.norm1`, p.norm1, conv(x, p.conv1)))
  const y2 = pooled(tf.relu(normalised(`${place}.norm2`, p.norm2, conv(y1, p.conv2))))
  const y3 = normalised(`${place}.norm3`, p.norm3, conv(y2, p.conv3))
  const skip = p.skip === undefined ? x : normalised(`${place}.skip.norm`, p.skip.norm, conv(pooled(x), p.skip.conv))
  return tf.relu(tf.add(y3, skip)) // b y/stride x/stride c
}

/**
 * What attention pools.
 * @param image  float32  b y x c   preprocessed
 * @param seen   is told the moments of every batch norm, where they are the batch's
 * @returns      float32  b y/32 x/32 32w
 * @law          at the start, every block is its skip alone
 */
export const resNetTrunk = (p: ResNetParams, image: tf.Tensor, seen?: NormSeen): tf.Tensor => {
  const normalised = normaliser(seen)
  const { stem } = p
  let x = withPath("stem", () => {
    const y1 = tf.relu(normalised("stem.norm1", stem.norm1, conv(image, stem.conv1, 2)))
    const y2 = tf.relu(normalised("stem.norm2", stem.norm2, conv(y1, stem.conv2)))
    return halve(tf.relu(normalised("stem.norm3", stem.norm3, conv(y2, stem.conv3)))) // b y/4 x/4 w
  })
  for (const [i, blocks] of p.stages.entries()) {
    for (const [j, block] of blocks.entries()) {
      const place = `stages.${i}.${j}`
      x = withPath(place, () => bottleneck(normalised, place, block, x, j === 0 ? strides[i]! : 1))
    }
  }
  return x
}

/**
 * @param image  float32  b y x c   preprocessed
 * @returns      float32  b j       of any length
 */
export const resNet = ({ width, heads = width / 2 }: ResNetConfig, p: ResNetParams, image: tf.Tensor): tf.Tensor => {
  const x = resNetTrunk(p, image)
  return withPath("pool", () => attentionPool(p.pool, x, heads)) // b j
}
