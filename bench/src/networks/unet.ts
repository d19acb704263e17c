/**
 * A diffusion U-Net that predicts the noise in an image.
 *   noisy image, time -> [ blocks, halve ] * levels -> middle -> [ skip, blocks, double ] * levels -> noise
 * Source   Dhariwal and Nichol 2021, section 3 (ADM); openai/guided-diffusion `unet.py`.
 * Differs  Sides are halved by convolutions of stride 2, as in Ho et al. 2020, and not inside of residual blocks.
 *          Without dropout, classes and learned variances.
 * Axes     b batch, y x image row and column, c channels, d width, h heads, e head width
 */
import { groupNorm, int32, type Key, linear, type ParamsOf, random, silu, split, withPath, zeros } from "@millrace/core"
import { addNoise, noiseSchedule } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { attend } from "./attend.js"
import { conv } from "./conv.js"
import { type Network, objectiveFrom, specsOfBatch } from "./network.js"
import { convOf, linearOf, normOf, param } from "./params.js"

export interface UnetConfig {
  /** Pixels of an image's side. */
  readonly size: number
  readonly width: number
  /** Channels of each level as a multiple of the width. */
  readonly multipliers: ReadonlyArray<number>
  /** Residual blocks of a level on the way down; on the way up it has one more. */
  readonly blocks: number
  /** Sides at which blocks are followed by attention; the middle always has it. */
  readonly attention: ReadonlyArray<number>
  /** Channels of a head. */
  readonly headWidth: number
  /** Steps of the noise schedule. */
  readonly steps: number
  readonly batch: number
}

// --- parameters

/** Products and kernels that begin as zero, so that a block begins as the identity. */
const silent = (inputs: number, outputs: number) => ({
  weight: param([inputs, outputs], zeros),
  bias: param([outputs], zeros),
})

const residualParams = (inputs: number, outputs: number, embedding: number) => ({
  norm1: normOf(inputs),
  conv1: convOf(3, inputs, outputs),
  time: linearOf(embedding, 2 * outputs),
  norm2: normOf(outputs),
  conv2: convOf(3, outputs, outputs, zeros),
  ...(inputs === outputs ? {} : { skip: convOf(1, inputs, outputs) }),
})

const attentionParams = (channels: number) => ({
  norm: normOf(channels),
  qkv: linearOf(channels, 3 * channels),
  out: silent(channels, channels),
})

/** What comes at one place of the network: a residual block, attention, a change of size, each if it is there. */
type StageSpec = {
  readonly residual?: ReturnType<typeof residualParams>
  readonly attention?: ReturnType<typeof attentionParams>
  readonly down?: ReturnType<typeof convOf>
  readonly up?: ReturnType<typeof convOf>
}

/** Stages on the way down and up, with the channels that each level and skip connection has. */
const ways = ({ size, width, multipliers, blocks, attention }: UnetConfig) => {
  const embedding = 4 * width
  const widths = multipliers.map((m) => m * width)
  const last = widths.length - 1
  const attends = (level: number): boolean => attention.includes(size / 2 ** level)
  const down: Array<StageSpec> = []
  const skips = [width]
  let channels = width
  for (const [level, wide] of widths.entries()) {
    for (let i = 0; i < blocks; i++) {
      const residual = residualParams(channels, wide, embedding)
      down.push(attends(level) ? { residual, attention: attentionParams(wide) } : { residual })
      channels = wide
      skips.push(channels)
    }
    if (level < last) {
      down.push({ down: convOf(3, channels, channels) })
      skips.push(channels)
    }
  }
  const middle = channels
  const up: Array<StageSpec> = []
  for (let level = last; level >= 0; level--) {
    const wide = widths[level]!
    for (let i = 0; i <= blocks; i++) {
      const residual = residualParams(channels + skips.pop()!, wide, embedding)
      channels = wide
      up.push({
        residual,
        ...(attends(level) ? { attention: attentionParams(wide) } : {}),
        ...(level > 0 && i === blocks ? { up: convOf(3, wide, wide) } : {}),
      })
    }
  }
  return { down, up, middle }
}

export const unetParams = (config: UnetConfig) => {
  const { width } = config
  const { down, up, middle } = ways(config)
  return {
    time1: linearOf(width, 4 * width),
    time2: linearOf(4 * width, 4 * width),
    input: convOf(3, 3, width),
    down,
    middle: {
      before: residualParams(middle, middle, 4 * width),
      attention: attentionParams(middle),
      after: residualParams(middle, middle, 4 * width),
    },
    up,
    norm: normOf(width),
    output: convOf(3, width, 3, zeros),
  }
}

// --- forward

type Params = ParamsOf<ReturnType<typeof unetParams>>
type Residual = Params["middle"]["before"]
type Attention = Params["middle"]["attention"]
type Norm = Params["norm"]

const norm = (p: Norm, x: tf.Tensor): tf.Tensor => groupNorm(x, p.gain as tf.Tensor1D, p.bias as tf.Tensor1D, 32, 1e-5)

/** `time` is b (4 d). */
const residual = (p: Residual, x: tf.Tensor, time: tf.Tensor): tf.Tensor => {
  const y = conv(silu(norm(p.norm1, x)), p.conv1) // b y x c
  const [b = 0, , , c = 0] = y.shape
  const modulation = tf.reshape(linear(silu(time), p.time.weight, p.time.bias), [b, 1, 1, 2 * c])
  const [scale, shift] = tf.split(modulation, 2, 3) as [tf.Tensor, tf.Tensor]
  const modulated = tf.add(tf.mul(norm(p.norm2, y), tf.add(scale, 1)), shift)
  const z = conv(silu(modulated), p.conv2)
  return tf.add(p.skip === undefined ? x : conv(x, p.skip), z)
}

/** Every place attends to every place. */
const attention = (p: Attention, x: tf.Tensor, headWidth: number): tf.Tensor => {
  const [b = 0, height = 0, width = 0, c = 0] = x.shape
  const rows = tf.reshape(norm(p.norm, x), [b, height * width, c]) // b (y x) c
  const attended = attend(linear(rows, p.qkv.weight, p.qkv.bias), c / headWidth, null) // b (y x) c
  return tf.add(x, tf.reshape(linear(attended, p.out.weight, p.out.bias), x.shape))
}

const doubled = (x: tf.Tensor): tf.Tensor => {
  const [, y = 0, width = 0] = x.shape
  return tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [2 * y, 2 * width])
}

/** cos and sin of the time at frequencies from 1 to 1/10,000. int32 `b` -> float32 `b d` */
const waves = (time: tf.Tensor, width: number): tf.Tensor => {
  const half = width / 2
  const frequencies = tf.tensor1d(Float32Array.from({ length: half }, (_, i) => 10_000 ** (-i / half)))
  const angles = tf.mul(tf.reshape(tf.cast(time, "float32"), [-1, 1]), frequencies) // b d/2
  return tf.concat([tf.cos(angles), tf.sin(angles)], 1)
}

/**
 * The noise in an image.
 * @param image  float32  b y x 3   noisy
 * @param time   int32    b         steps of noise that it has seen
 * @returns      float32  b y x 3
 */
export const unet = (config: UnetConfig, p: Params, image: tf.Tensor, time: tf.Tensor): tf.Tensor => {
  const first = silu(linear(waves(time, config.width), p.time1.weight, p.time1.bias))
  const embedding = linear(first, p.time2.weight, p.time2.bias) // b (4 d)
  const stage = (q: Params["down"][number], x: tf.Tensor): tf.Tensor => {
    let y = q.residual === undefined ? x : residual(q.residual, x, embedding)
    if (q.attention !== undefined) y = attention(q.attention, y, config.headWidth)
    if (q.down !== undefined) y = conv(y, q.down, 2)
    return q.up === undefined ? y : conv(doubled(y), q.up)
  }
  let x = conv(image, p.input)
  const skips = [x]
  for (const [i, q] of p.down.entries()) {
    x = withPath(`down.${i}`, () => stage(q, x))
    skips.push(x)
  }
  x = withPath("middle", () => {
    const before = residual(p.middle.before, x, embedding)
    return residual(p.middle.after, attention(p.middle.attention, before, config.headWidth), embedding)
  })
  for (const [i, q] of p.up.entries()) {
    const skip = skips.pop()!
    x = withPath(`up.${i}`, () => stage(q, tf.concat([x, skip], 3)))
  }
  return conv(silu(norm(p.norm, x)), p.output)
}

export const unetNetwork = (config: UnetConfig, key: Key): Network => {
  const { batch: b, size } = config
  const values = {
    image: random.normal(split(key, "image"), [b, size, size, 3]),
    noise: random.normal(split(key, "noise"), [b, size, size, 3]),
    time: int32([b], random.integers(split(key, "time"), [b], 0, config.steps).data),
  }
  const schedule = noiseSchedule({ kind: "cosine", steps: config.steps })
  const objective = objectiveFrom("unet", unetParams(config), (p, { image, noise, time }) => {
    const predicted = unet(config, p, addNoise(schedule, image!, noise!, time!), time!)
    return tf.mean(tf.square(tf.sub(noise!, predicted)))
  })
  return { objective, inputs: specsOfBatch(values), batch: values }
}
