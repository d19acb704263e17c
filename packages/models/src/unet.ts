/**
 * A diffusion U-Net: what was added to an image, from the image and how much of it there is.
 *   noisy image, time -> [ blocks, halve ] * levels -> middle -> [ skip, blocks, double ] * levels -> noise
 * Source   Dhariwal and Nichol 2021, section 3 (ADM); openai/guided-diffusion `unet.py`.
 * Differs  Without dropout, which would make a step depend on more than its inputs. Weights start as N(0, 1/√inputs) and
 *          biases as 0, where the papers' code has PyTorch's defaults.
 * Axes     b batch, y x image row and column, c channels in, f channels out, s context token, d width of the context
 */
import {
  defineTensorNode,
  linear,
  type ParamSpec,
  ShapeMismatch,
  silu,
  tensor,
  withPath,
  zeros,
} from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { conv } from "./layers/conv.js"
import { type Affine, convOf, linearOf, type Norm, normOf } from "./layers/params.js"
import { Size } from "./layers/sizes.js"
import { timeWaves } from "./layers/timeWaves.js"
import { type Context, imageAttention } from "./unet/imageAttention.js"
import { doubled, norm, residual } from "./unet/residual.js"
import { type StageTree, type WaysTree, waysOf } from "./unet/stages.js"

// --- config

/**
 * The shape of a U-Net.
 *
 * - `size`: pixels of the side at which `attention` is counted. Images of any sides that the levels divide are taken;
 *   on an image that is not of this size, attention stays at the levels where it is at this size.
 * - `multipliers`: channels of each level as a multiple of `width`; each level has half the sides of the one before.
 * - `blocks`: residual blocks of a level on the way down; on the way up it has one more.
 * - `attention`: sides at which blocks are followed by attention. The middle has it too unless `middleAttention` is
 *   false, as in unCLIP's upsamplers.
 * - `headWidth`: channels of a head.
 * - `context`: width of the tokens that attention sees besides the image, if there are any.
 * - `input`, `output`: channels, 3 unless given; 6 come out where the variance is learned.
 * - `resample`: sides change in residual blocks (`residual`, the default: ADM, GLIDE, unCLIP) or by convolutions
 *   (`convolution`: Ho et al. 2020).
 * - `modulation`: how time acts on a block: `scale-shift` (the default: ADM) or `add` (Ho et al. 2020).
 * - `groups` of every norm: 32 unless given.
 */
export const UnetConfig = Schema.Struct({
  size: Size,
  width: Size,
  multipliers: Schema.Array(Size).check(Schema.isMinLength(1)),
  blocks: Size,
  attention: Schema.Array(Size),
  middleAttention: Schema.optionalKey(Schema.Boolean),
  headWidth: Size,
  context: Schema.optionalKey(Size),
  input: Schema.optionalKey(Size),
  output: Schema.optionalKey(Size),
  resample: Schema.optionalKey(Schema.Literals(["residual", "convolution"])),
  modulation: Schema.optionalKey(Schema.Literals(["scale-shift", "add"])),
  groups: Schema.optionalKey(Size),
}).check(
  Schema.makeFilter((config) => {
    const { groups, headWidth } = { groups: 32, ...config }
    for (const [level, multiplier] of config.multipliers.entries()) {
      const channels = multiplier * config.width
      if (channels % groups !== 0)
        return `${channels} channels of level ${level} must be a multiple of groups ${groups}`
      if (attendsAt(config, level) && channels % headWidth !== 0)
        return `${channels} channels of level ${level} must be a multiple of headWidth ${headWidth}`
    }
    const missing = config.attention.filter((side) => !config.multipliers.some((_, i) => side === config.size / 2 ** i))
    return missing.length === 0 ? undefined : `attention at ${missing.join(", ")}: no level has that side`
  }),
)
export type UnetConfig = typeof UnetConfig.Type

/** Whether a level has attention; the last one's is also the middle's. */
const attendsAt = (
  config: Pick<UnetConfig, "size" | "attention" | "multipliers" | "middleAttention">,
  level: number,
): boolean =>
  config.attention.includes(config.size / 2 ** level) ||
  (level === config.multipliers.length - 1 && config.middleAttention !== false)

// --- parameters

/** A U-Net's parameters: specs, tensors, gradients, whatever stands at the leaves. */
export type UnetTree<Leaf> = {
  readonly time1: Affine<Leaf>
  readonly time2: Affine<Leaf>
  readonly input: Affine<Leaf>
} & WaysTree<Leaf> & {
    readonly norm: Norm<Leaf>
    /** Of zeros at first, so that the first prediction is 0. */
    readonly output: Affine<Leaf>
  }
export type UnetParams = UnetTree<tf.Tensor>

/** Width of what time is embedded to. */
export const unetEmbedding = ({ width }: UnetConfig): number => 4 * width

/** Parameters of a U-Net, as specs. Nothing is allocated, at any size. */
export const unetParams = (config: UnetConfig): UnetTree<ParamSpec> => {
  const { width, context, modulation = "scale-shift", resample = "residual" } = config
  const embedding = unetEmbedding(config)
  const widths = config.multipliers.map((m) => m * width)
  const { down, middle, up } = waysOf({
    widths,
    embedding,
    blocks: config.blocks,
    attends: (level) => config.attention.includes(config.size / 2 ** level),
    middleAttention: config.middleAttention !== false,
    ...(context === undefined ? {} : { context }),
    modulation,
    resample,
  })
  return {
    time1: linearOf(width, embedding),
    time2: linearOf(embedding, embedding),
    input: convOf(3, config.input ?? 3, widths[0]!),
    down,
    middle,
    up,
    norm: normOf(widths[0]!),
    output: convOf(3, widths[0]!, config.output ?? 3, zeros),
  }
}

// --- forward

/** What a U-Net is told besides the image and the time. */
export interface UnetConditions {
  /** Added to the embedding of the time. float32  b (4 width) */
  readonly embedding?: tf.Tensor
  /** Tokens that attention sees; without them a U-Net of a config with `context` sees its image alone. */
  readonly context?: Context
}

const checkSides = ({ multipliers }: UnetConfig, [, y = 0, x = 0]: ReadonlyArray<number>): void => {
  const multiple = 2 ** (multipliers.length - 1)
  if (y % multiple === 0 && x % multiple === 0) return
  throw new ShapeMismatch({
    where: "unet",
    expected: `sides that are multiples of ${multiple}, which ${multipliers.length} levels halve`,
    received: `${y} × ${x} pixels`,
    fix: "crop or pad the image",
  })
}

/**
 * What the network says of a noisy image: its noise, and with learned variance the variance behind it.
 * @param image  float32  b y x c   noisy
 * @param time   int32    b         steps of noise that it has seen
 * @returns      float32  b y x f
 * @throws ShapeMismatch  the levels cannot halve the sides
 * @law          before any training it is 0
 */
export const unetPredict = (
  config: UnetConfig,
  p: UnetParams,
  image: tf.Tensor,
  time: tf.Tensor,
  conditions: UnetConditions = {},
): tf.Tensor => {
  checkSides(config, image.shape)
  const { groups = 32, modulation = "scale-shift", headWidth } = config
  const context = conditions.context ?? null
  const first = silu(linear(timeWaves(time, config.width), p.time1.weight, p.time1.bias))
  const waves = linear(first, p.time2.weight, p.time2.bias) // b (4 width)
  const embedding = conditions.embedding === undefined ? waves : tf.add(waves, conditions.embedding)
  const stage = (q: StageTree<tf.Tensor>, x: tf.Tensor): tf.Tensor => {
    let y = q.residual === undefined ? x : residual(q.residual, x, embedding, { groups, modulation })
    if (q.attention !== undefined) y = imageAttention(q.attention, y, context, { headWidth, groups })
    if (q.down !== undefined) y = conv(y, q.down, 2)
    if (q.halve !== undefined) y = residual(q.halve, y, embedding, { groups, modulation, resizing: "halve" })
    if (q.double !== undefined) y = residual(q.double, y, embedding, { groups, modulation, resizing: "double" })
    return q.up === undefined ? y : conv(doubled(y), q.up)
  }
  let x = conv(image, p.input)
  const skips = [x]
  for (const [i, q] of p.down.entries()) {
    x = withPath(`down.${i}`, () => stage(q, x))
    skips.push(x)
  }
  x = withPath("middle", () => {
    const { before, attention, after } = p.middle
    const y = residual(before, x, embedding, { groups, modulation })
    const z = attention === undefined ? y : imageAttention(attention, y, context, { headWidth, groups })
    return residual(after, z, embedding, { groups, modulation })
  })
  for (const [i, q] of p.up.entries()) {
    const skip = skips.pop()!
    x = withPath(`up.${i}`, () => stage(q, tf.concat([x, skip], 3)))
  }
  return conv(silu(norm(p.norm, x, groups)), p.output)
}

/**
 * A prediction of twice the channels as noise and variance.
 * @param predicted  float32  b y x (2 c)
 * @returns          noise    float32  b y x c
 *                   variance float32  b y x c, from −1 (the posterior's) to 1 (that of the step), not clipped
 * @source           Nichol and Dhariwal 2021, eq. 15
 */
export const noiseAndVariance = (predicted: tf.Tensor): { readonly noise: tf.Tensor; readonly variance: tf.Tensor } => {
  const [noise, variance] = tf.split(predicted, 2, predicted.rank - 1)
  return { noise: noise as tf.Tensor, variance: variance as tf.Tensor }
}

// --- nodes

const time = tensor("int32", "b", "step")
const source = "Dhariwal and Nichol 2021, section 3"

/** A config whose channels out are so many times those in. */
const withChannels = (times: 1 | 2) =>
  UnetConfig.check(
    Schema.makeFilter(({ input = 3, output = 3 }) =>
      output === times * input ? undefined : `output ${output} must be ${times === 1 ? "input" : `${times} · input`}`,
    ),
  )

/** An unconditional U-Net's nodes. */
export const unet = {
  /** A noisy `image`, `time` -> the noise in it. */
  noise: defineTensorNode({
    type: "unet.noise",
    version: 1,
    source,
    config: withChannels(1),
    ports: ({ input = 3 }) => ({
      in: { image: tensor("float32", "b y x c", "noisy"), time },
      out: tensor("float32", "b y x c", "noise"),
      sizes: { c: input },
    }),
    params: unetParams,
    apply: (config, p, { image, time }) => unetPredict(config, p, image, time),
  }),
  /** The same with the variance of a step back. */
  noiseAndVariance: defineTensorNode({
    type: "unet.noiseAndVariance",
    version: 1,
    source: "Nichol and Dhariwal 2021, section 3.1",
    config: withChannels(2),
    ports: ({ input = 3 }) => ({
      in: { image: tensor("float32", "b y x c", "noisy"), time },
      out: { noise: tensor("float32", "b y x c", "noise"), variance: tensor("float32", "b y x c", "variance") },
      sizes: { c: input },
    }),
    params: unetParams,
    apply: (config, p, { image, time }) => noiseAndVariance(unetPredict(config, p, image, time)),
  }),
}
