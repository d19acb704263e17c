/**
 * CLIP's modified ResNet: a stem of three convolutions, average pooling before every stride, attention pooling at the end.
 * Source   Radford et al. 2021, section 2.4; openai/CLIP `model.py`, ModifiedResNet.
 * Axes     b batch, y x image row and column, c channels, t place, h heads, e head width, j joint width
 */
import { batchNorm, linear, normal, type ParamsOf, softmax, withPath, zeros } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { conv } from "./conv.js"
import { kernelOf, linearOf, normOf, param } from "./params.js"

export interface ResNetConfig {
  readonly kind: "resnet"
  /** Pixels of an image's side, a multiple of 32. */
  readonly size: number
  readonly width: number
  /** Bottleneck blocks of the four stages. */
  readonly stages: readonly [number, number, number, number]
}

// --- parameters

/** How much wider a block's output is than its inner convolution. */
const expansion = 4

const bottleneckParams = (inputs: number, inner: number, stride: number) => {
  const outputs = inner * expansion
  return {
    conv1: kernelOf(1, inputs, inner),
    norm1: normOf(inner),
    conv2: kernelOf(3, inner, inner),
    norm2: normOf(inner),
    conv3: kernelOf(1, inner, outputs),
    norm3: normOf(outputs, zeros),
    ...(stride > 1 || inputs !== outputs
      ? { skip: { conv: kernelOf(1, inputs, outputs), norm: normOf(outputs) } }
      : {}),
  }
}

const stageParams = (inputs: number, inner: number, blocks: number, stride: number) =>
  Array.from({ length: blocks }, (_, i) =>
    i === 0 ? bottleneckParams(inputs, inner, stride) : bottleneckParams(inner * expansion, inner, 1),
  )

/** Strides of the four stages; the stem has 4 of its own. */
const strides = [1, 2, 2, 2] as const

export const resNetParams = ({ size, width: w, stages }: ResNetConfig, joint: number) => {
  const d = w * 8 * expansion
  const std = d ** -0.5
  return {
    stem: {
      conv1: kernelOf(3, 3, w / 2),
      norm1: normOf(w / 2),
      conv2: kernelOf(3, w / 2, w / 2),
      norm2: normOf(w / 2),
      conv3: kernelOf(3, w / 2, w),
      norm3: normOf(w),
    },
    stages: stages.map((blocks, i) =>
      stageParams(i === 0 ? w : w * 2 ** (i - 1) * expansion, w * 2 ** i, blocks, strides[i]!),
    ),
    pool: {
      position: param([(size / 32) ** 2 + 1, d], normal(std)),
      query: linearOf(d, d, std),
      key: linearOf(d, d, std),
      value: linearOf(d, d, std),
      out: linearOf(d, joint, std),
    },
  }
}

// --- forward

type Params = ParamsOf<ReturnType<typeof resNetParams>>
type Norm = Params["stem"]["norm1"]
type Bottleneck = Params["stages"][number][number]

const normalised = (p: Norm, x: tf.Tensor): tf.Tensor =>
  batchNorm(x, p.gain as tf.Tensor1D, p.bias as tf.Tensor1D, 1e-5).y

const halved = (x: tf.Tensor): tf.Tensor => tf.avgPool(x as tf.Tensor4D, 2, 2, "valid")

const bottleneck = (p: Bottleneck, x: tf.Tensor, stride: number): tf.Tensor => {
  const pooled = (y: tf.Tensor): tf.Tensor => (stride > 1 ? halved(y) : y)
  const y1 = tf.relu(normalised(p.norm1, conv(x, p.conv1)))
  const y2 = pooled(tf.relu(normalised(p.norm2, conv(y1, p.conv2))))
  const y3 = normalised(p.norm3, conv(y2, p.conv3))
  const skip = p.skip === undefined ? x : normalised(p.skip.norm, conv(pooled(x), p.skip.conv))
  return tf.relu(tf.add(y3, skip)) // b y/stride x/stride c
}

/** The mean of all places asks all places and itself: one query. b y x c -> b j */
const attentionPool = (p: Params["pool"], x: tf.Tensor, heads: number): tf.Tensor => {
  const [b = 0, height = 0, width = 0, c = 0] = x.shape
  const t = height * width + 1
  const e = c / heads
  const places = tf.reshape(x, [b, t - 1, c])
  const tokens = tf.add(tf.concat([tf.mean(places, 1, true), places], 1), p.position) // b t c
  const byHead = (y: tf.Tensor, n: number): tf.Tensor => tf.transpose(tf.reshape(y, [b, n, heads, e]), [0, 2, 1, 3])
  const first = tf.slice(tokens, [0, 0, 0], [b, 1, c])
  const q = byHead(linear(first, p.query.weight, p.query.bias), 1) // b h 1 e
  const k = byHead(linear(tokens, p.key.weight, p.key.bias), t) // b h t e
  const v = byHead(linear(tokens, p.value.weight, p.value.bias), t) // b h t e
  const weights = softmax(tf.matMul(tf.mul(q, e ** -0.5), k, false, true)) // b h 1 t
  return linear(tf.reshape(tf.matMul(weights, v), [b, c]), p.out.weight, p.out.bias) // b j
}

/**
 * @param image  float32  b y x c
 * @returns      float32  b j
 */
export const resNet = (config: ResNetConfig, p: Params, image: tf.Tensor): tf.Tensor => {
  const { stem } = p
  let x = withPath("stem", () => {
    const y1 = tf.relu(normalised(stem.norm1, conv(image, stem.conv1, 2)))
    const y2 = tf.relu(normalised(stem.norm2, conv(y1, stem.conv2)))
    return halved(tf.relu(normalised(stem.norm3, conv(y2, stem.conv3)))) // b y/4 x/4 w
  })
  for (const [i, blocks] of p.stages.entries()) {
    for (const [j, block] of blocks.entries()) {
      x = withPath(`stages.${i}.${j}`, () => bottleneck(block, x, j === 0 ? strides[i]! : 1))
    }
  }
  // Heads are 64 wide, as everywhere in CLIP.
  return withPath("pool", () => attentionPool(p.pool, x, (config.width * 32) / 64))
}
