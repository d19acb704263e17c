/**
 * The discrete VAE of DALL·E: an image as a grid of codes, and back.
 *   image -> encoder -> logits of codes -> relaxed codes -> decoder -> a logit-Laplace distribution of each pixel
 * Source   Ramesh et al. 2021, section 2.1 and appendix A; openai/DALL-E `encoder.py`, `decoder.py`.
 * Differs  all in float32; the published code keeps the layers next to the codes in it alone.
 * Axes     b batch, y x image row and column, c channels, s place of a code in raster order, k codebook
 */
import { BadLength, defineTensorNode, embed, type ParamSpec, tensor, withPath } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { gumbelSoftmax } from "./gumbelSoftmax.js"
import { conv } from "./layers/conv.js"
import { type Affine, convOf } from "./layers/params.js"
import { mapPixels, unmapPixels } from "./layers/pixels.js"
import { Size } from "./layers/sizes.js"

// --- config

/**
 * The shape of a dVAE. Between two groups the encoder halves an image's sides and the decoder doubles them, so that an
 * image has `rows` · 2^(groups − 1) rows of pixels.
 *
 * - `vocab`: of the codes.
 * - `rows`, `columns`: of the codes.
 * - `blocks` of each group.
 * - `width`: channels of the encoder's first group and the decoder's last; each further inside has twice as many.
 * - `first`: channels that the decoder begins with.
 * - `channels` of an image, 3 unless given.
 */
export const DvaeConfig = Schema.Struct({
  vocab: Size,
  rows: Size,
  columns: Size,
  groups: Size,
  blocks: Size,
  width: Size.check(
    // A block is a quarter as wide inside as outside.
    Schema.makeFilter((width) => (width % 4 === 0 ? undefined : `width ${width} must be a multiple of 4`)),
  ),
  first: Size,
  channels: Schema.optionalKey(Size),
})
export type DvaeConfig = typeof DvaeConfig.Type

/** How often a side is halved, as a factor. */
const strideOf = ({ groups }: DvaeConfig): number => 2 ** (groups - 1)

// --- parameters

type Block<Leaf> = { readonly convs: ReadonlyArray<Affine<Leaf>>; readonly skip?: Affine<Leaf> }
type Group<Leaf> = ReadonlyArray<Block<Leaf>>
/** The parameters of an encoder or a decoder: specs, tensors, gradients, whatever stands at the leaves. */
export type DvaeTree<Leaf> = {
  readonly input: Affine<Leaf>
  readonly groups: ReadonlyArray<Group<Leaf>>
  readonly output: Affine<Leaf>
}
export type DvaeParams = DvaeTree<tf.Tensor>

const blockParams = (inputs: number, outputs: number, kernels: ReadonlyArray<1 | 3>): Block<ParamSpec> => {
  const inner = outputs / 4
  return {
    convs: kernels.map((size, i) => convOf(size, i === 0 ? inputs : inner, i === kernels.length - 1 ? outputs : inner)),
    ...(inputs === outputs ? {} : { skip: convOf(1, inputs, outputs) }),
  }
}

/** Groups of the given widths, after `inputs` channels. */
const groupsOf = (
  inputs: number,
  widths: ReadonlyArray<number>,
  blocks: number,
  kernels: ReadonlyArray<1 | 3>,
): ReadonlyArray<Group<ParamSpec>> =>
  widths.map((width, g) =>
    Array.from({ length: blocks }, (_, i) => blockParams(i === 0 ? (widths[g - 1] ?? inputs) : width, width, kernels)),
  )

const widthsOf = ({ groups, width }: DvaeConfig): ReadonlyArray<number> =>
  Array.from({ length: groups }, (_, i) => width * 2 ** i)

/** Parameters of an encoder, as specs. Weights start as N(0, 1 / (inputs · kernel²)), biases at 0. */
export const dvaeEncoderParams = (config: DvaeConfig): DvaeTree<ParamSpec> => {
  const { vocab, blocks, width, channels = 3 } = config
  const widths = widthsOf(config)
  return {
    input: convOf(7, channels, width),
    groups: groupsOf(width, widths, blocks, [3, 3, 3, 1]),
    output: convOf(1, widths.at(-1) ?? width, vocab),
  }
}

/** Parameters of a decoder, as specs, which start as an encoder's. */
export const dvaeDecoderParams = (config: DvaeConfig): DvaeTree<ParamSpec> => {
  const { vocab, blocks, width, first, channels = 3 } = config
  return {
    input: convOf(1, vocab, first),
    groups: groupsOf(first, widthsOf(config).toReversed(), blocks, [1, 3, 3, 3]),
    output: convOf(1, width, 2 * channels),
  }
}

// --- forward

/** `gain` keeps the sum of many blocks as large as one of them. */
const block = (p: Block<tf.Tensor>, x: tf.Tensor, gain: number): tf.Tensor => {
  const residual = p.convs.reduce((y, kernel) => conv(tf.relu(y), kernel), x)
  return tf.add(p.skip === undefined ? x : conv(x, p.skip), tf.mul(residual, gain))
}

const halved = (x: tf.Tensor): tf.Tensor => tf.maxPool(x as tf.Tensor4D, 2, 2, "valid")

const doubled = (x: tf.Tensor): tf.Tensor => {
  const [, y = 0, width = 0] = x.shape
  return tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [2 * y, 2 * width])
}

/** All groups, resized between them, and the last convolution. */
const coder = ({ groups, blocks }: DvaeConfig, p: DvaeParams, first: tf.Tensor, resize: typeof halved): tf.Tensor => {
  const gain = 1 / (groups * blocks) ** 2
  let x = first
  for (const [i, group] of p.groups.entries()) {
    const wide = withPath(`groups.${i}`, () => group.reduce((y, b) => block(b, y, gain), x))
    x = i < p.groups.length - 1 ? resize(wide) : wide
  }
  return withPath("output", () => conv(tf.relu(x), p.output))
}

const checkSize = (config: DvaeConfig, image: tf.Tensor): void => {
  const { rows, columns, channels = 3 } = config
  const stride = strideOf(config)
  const wanted = [rows * stride, columns * stride, channels]
  if (image.shape.slice(1).join() === wanted.join()) return
  throw new BadLength({
    where: "dvae",
    expected: `images of [${wanted.join(", ")}], for ${rows} · ${columns} codes`,
    received: `[${image.shape.slice(1).join(", ")}]`,
    fix: "crop or resize the images, or give the model as many rows and columns as they have codes",
  })
}

/**
 * Logits of an image's codes.
 * @param image  float32  b y x c   in [0, 1]
 * @returns      float32  b s k
 * @throws BadLength  the image is not of the model's size
 * @law   an image moved by 2^(groups − 1) pixels has its logits moved by one place, away from the sides
 */
export const dvaeEncode = (config: DvaeConfig, p: DvaeParams, image: tf.Tensor): tf.Tensor => {
  checkSize(config, image)
  const { rows, columns, vocab } = config
  const first = withPath("input", () => conv(mapPixels(image), p.input)) // b y x c
  return tf.reshape(coder(config, p, first, halved), [-1, rows * columns, vocab])
}

/** The distribution of each pixel's channel after φ: its logit is of a Laplace distribution. */
export interface PixelStats {
  /** float32  b y x c */
  readonly mean: tf.Tensor
  /** ln of the scale. float32  b y x c */
  readonly logWidth: tf.Tensor
}

const statsOf = (config: DvaeConfig, p: DvaeParams, first: tf.Tensor): PixelStats => {
  const maps = coder(config, p, first, doubled) // b y x (2 c)
  const [mean, logWidth] = tf.split(maps, 2, 3) as [tf.Tensor, tf.Tensor]
  return { mean, logWidth }
}

/**
 * Distributions of pixels, from mixtures of codes.
 * @param relaxed  float32  b s k   probabilities
 */
export const dvaeDecode = (config: DvaeConfig, p: DvaeParams, relaxed: tf.Tensor): PixelStats => {
  const { rows, columns, vocab } = config
  const grid = tf.reshape(relaxed, [-1, rows, columns, vocab]) // b y x k
  const first = withPath("input", () => conv(grid, p.input)) // b y x c
  return statsOf(config, p, first)
}

/**
 * Distributions of pixels, from codes: the first layer looks each one up.
 * @param codes  int32  b s
 * @law   equals `dvaeDecode` of one-hot codes
 */
export const dvaeDecodeCodes = (config: DvaeConfig, p: DvaeParams, codes: tf.Tensor): PixelStats => {
  const { rows, columns, vocab, first: width } = config
  const first = withPath("input", () => {
    const rowsOf = embed(tf.reshape(p.input.weight, [vocab, width]), codes) // b s c
    return tf.add(tf.reshape(rowsOf, [-1, rows, columns, width]), p.input.bias) // b y x c
  })
  return statsOf(config, p, first)
}

/** The median image of a distribution: φ⁻¹(sigmoid μ). float32 `b y x c` -> `b y x c` in [0, 1] */
export const dvaeImage = ({ mean }: PixelStats): tf.Tensor => unmapPixels(tf.sigmoid(mean))

// --- nodes

const source = "Ramesh et al. 2021, section 2.1 and appendix A"
const image = tensor("float32", "b y x c", "[0,1]")
const logits = tensor("float32", "b s k", "logit")
const codes = tensor("int32", "b s", "code")
const relaxed = tensor("float32", "b s k", "probability")
const stats = {
  mean: tensor("float32", "b y x c", "pixel-logit"),
  logWidth: tensor("float32", "b y x c", "log-width"),
}

const imageSizes = (config: DvaeConfig) => ({
  y: config.rows * strideOf(config),
  x: config.columns * strideOf(config),
  c: config.channels ?? 3,
  s: config.rows * config.columns,
})
const sizes = (config: DvaeConfig) => ({ ...imageSizes(config), k: config.vocab })

/** A dVAE's nodes. */
export const dvae = {
  /** `image` -> logits of its codes. */
  logits: defineTensorNode({
    type: "dvae.logits",
    version: 1,
    source,
    config: DvaeConfig,
    ports: (config) => ({ in: { image }, out: logits, sizes: sizes(config) }),
    params: dvaeEncoderParams,
    apply: (config, p, { image }) => dvaeEncode(config, p, image),
  }),
  /** `image` -> its most probable codes, as DALL·E is trained on them: no noise is added. */
  codes: defineTensorNode({
    type: "dvae.codes",
    version: 1,
    source,
    config: DvaeConfig,
    ports: (config) => ({ in: { image }, out: codes, sizes: imageSizes(config) }),
    params: dvaeEncoderParams,
    apply: (config, p, { image }) => tf.argMax(dvaeEncode(config, p, image), -1),
  }),
  /** `logits`, standard Gumbel `noise`, a `temperature` -> relaxed codes. */
  relax: defineTensorNode({
    type: "dvae.relax",
    version: 1,
    source: "Jang et al. 2017, equation 2; Ramesh et al. 2021, section 2.1",
    config: Schema.Struct({}),
    ports: () => ({
      in: {
        logits,
        noise: tensor("float32", "b s k", "gumbel"),
        temperature: tensor("float32", "", "temperature"),
      },
      out: relaxed,
    }),
    apply: (_, __, { logits, noise, temperature }) => gumbelSoftmax(logits, noise, temperature as tf.Scalar),
    laws: async () => (await import("./laws/imageNodeLaws.js")).relaxNodeLaws(),
  }),
  /** `codes` -> the median image of them. */
  decode: defineTensorNode({
    type: "dvae.decode",
    version: 1,
    source,
    config: DvaeConfig,
    ports: (config) => ({ in: { codes }, out: image, sizes: imageSizes(config) }),
    params: dvaeDecoderParams,
    apply: (config, p, { codes }) => dvaeImage(dvaeDecodeCodes(config, p, codes)),
  }),
  /** `relaxed` codes -> the distribution of each pixel. */
  decodeRelaxed: defineTensorNode({
    type: "dvae.decodeRelaxed",
    version: 1,
    source,
    config: DvaeConfig,
    ports: (config) => ({ in: { relaxed }, out: stats, sizes: sizes(config) }),
    params: dvaeDecoderParams,
    apply: (config, p, { relaxed }) => ({ ...dvaeDecode(config, p, relaxed) }),
  }),
}
