/**
 * A sparse transformer over text and then image codes.
 *   text -> embed + position; codes -> embed + row + column;
 *   [ text ; codes ] -> [ x + attention(norm x) ; x + mlp(norm x) ] * layers -> norm -> logits of text, logits of codes
 * Source   Ramesh et al. 2021, section 2.2 and appendix B.1.
 * Differs  a position's logits are of its own vocabulary alone, as if the other's were masked in one output over both.
 *          Initial values are GPT-2's, which the paper does not state.
 * Axes     b batch, t text position, s image position in raster order, y x image row and column, d width, h heads,
 *          e head width, f feed-forward width, v text vocabulary with paddings, k image vocabulary
 */
import {
  BadLength,
  defineTensorNode,
  embed,
  gelu,
  linear,
  normal,
  type ParamSpec,
  tensor,
  withPath,
} from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { joinHeads, partHeads } from "./layers/attention.js"
import type { BlockTree } from "./layers/blockTree.js"
import { norm } from "./layers/norm.js"
import { linearOf, type Norm, normOf, param } from "./layers/params.js"
import { headsDivide, Size } from "./layers/sizes.js"
import { sparseAttention } from "./layers/sparseAttention.js"
import { type SparseBlocks, sparseBlocks } from "./layers/sparseBlocks.js"
import type { SparseGrid, SparsePattern } from "./layers/sparseMasks.js"
import { padCaptions, sparseLoss } from "./losses/sparse.js"

// --- config

/**
 * The shape of a sparse transformer. The paper's: 64 layers of 62 heads of 64, 256 text tokens of 16,384, 32 × 32 image
 * tokens of 8,192.
 *
 * - `textVocab`: ids of text, without the paddings, of which there is one for each of the `text` positions.
 * - `mlp` is 4 · width unless given.
 * - `kernel`: of the last layer's convolutional pattern; odd, and 11 unless given.
 */
export const SparseConfig = Schema.Struct({
  textVocab: Size,
  imageVocab: Size,
  text: Size,
  rows: Size,
  columns: Size,
  width: Size,
  layers: Size,
  heads: Size,
  mlp: Schema.optionalKey(Size),
  kernel: Schema.optionalKey(
    Size.check(Schema.makeFilter((kernel) => (kernel % 2 === 1 ? undefined : `kernel ${kernel} must be odd`))),
  ),
}).check(Schema.makeFilter(headsDivide))
export type SparseConfig = typeof SparseConfig.Type

/** The pattern of each layer: row, column, row, row and over again, and in the last layer convolution. */
export const sparsePatterns = ({ layers, kernel = 11 }: SparseConfig): ReadonlyArray<SparsePattern> =>
  Array.from({ length: layers }, (_, i): SparsePattern => {
    if (i === layers - 1) return { kind: "convolution", kernel }
    return { kind: i % 4 === 1 ? "column" : "row" }
  })

export const gridOf = ({ text, rows, columns }: SparseConfig): SparseGrid => ({ text, rows, columns })

/** Text ids with the paddings, which come last. */
const textClasses = ({ textVocab, text }: SparseConfig): number => textVocab + text

// --- parameters

/** A sparse transformer's parameters: specs, tensors, gradients, whatever stands at the leaves. */
export type SparseTree<Leaf> = {
  /** `token` v d, its last t rows the paddings; `position` t d */
  readonly text: { readonly token: Leaf; readonly position: Leaf }
  /** `token` k d, `row` y d, `column` x d */
  readonly image: { readonly token: Leaf; readonly row: Leaf; readonly column: Leaf }
  readonly blocks: ReadonlyArray<BlockTree<Leaf>>
  readonly norm: Norm<Leaf>
  /** `text` v d, `image` k d */
  readonly unembedding: { readonly text: Leaf; readonly image: Leaf }
}
export type SparseParams = SparseTree<tf.Tensor>

/** Parameters of a sparse transformer, as specs. Nothing is allocated, at any size. */
export const sparseParams = (config: SparseConfig): SparseTree<ParamSpec> => {
  const { imageVocab, text, rows, columns, width: d, layers, mlp: f = 4 * d } = config
  const residual = 0.02 / Math.sqrt(2 * layers)
  const table = (size: number, std = 0.02): ParamSpec => param([size, d], normal(std))
  return {
    text: { token: table(textClasses(config)), position: table(text, 0.01) },
    image: { token: table(imageVocab), row: table(rows, 0.01), column: table(columns, 0.01) },
    blocks: Array.from({ length: layers }, () => ({
      norm1: normOf(d),
      attention: { qkv: linearOf(d, 3 * d, 0.02), out: linearOf(d, d, residual) },
      norm2: normOf(d),
      mlp: { up: linearOf(d, f, 0.02), down: linearOf(f, d, residual) },
    })),
    norm: normOf(d),
    unembedding: { text: table(textClasses(config)), image: table(imageVocab) },
  }
}

// --- forward

/** How attention under a pattern is computed: `sparseAttention`, or what it is compared with. b h t e, all four */
export type Attend = (blocks: SparseBlocks, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => tf.Tensor

/** A block, with attention as the caller computes it of one layer: from b h t e to b h t e. */
export const sparseBlock = (
  p: BlockTree<tf.Tensor>,
  x: tf.Tensor,
  heads: number,
  attend: (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => tf.Tensor,
): tf.Tensor => {
  const qkv = linear(norm(p.norm1, x), p.attention.qkv.weight, p.attention.qkv.bias) // b t (3 h e)
  const attended = joinHeads(attend(...partHeads(qkv, heads))) // b t (h e)
  const y = tf.add(x, linear(attended, p.attention.out.weight, p.attention.out.bias)) // b t d
  const hidden = gelu(linear(norm(p.norm2, y), p.mlp.up.weight, p.mlp.up.bias)) // b t f
  return tf.add(y, linear(hidden, p.mlp.down.weight, p.mlp.down.bias)) // b t d
}

export interface SparseInputs {
  /** Text ids; what stands where the mask is 0 does not matter. int32  b t */
  readonly tokens: tf.Tensor
  /** 1 for a caption's tokens, 0 for padding after them. float32, bool  b t */
  readonly mask: tf.Tensor
  /** Image tokens in raster order. int32  b s */
  readonly codes: tf.Tensor
}

const checkLengths = ({ text, rows, columns }: SparseConfig, { tokens, codes }: SparseInputs): void => {
  if (tokens.shape[1] === text && codes.shape[1] === rows * columns) return
  throw new BadLength({
    where: "sparse",
    expected: `${text} text tokens and ${rows} · ${columns} image tokens`,
    received: `${tokens.shape[1]} text tokens and ${codes.shape[1]} image tokens`,
    fix: "pad or cut captions to the model's text length, and give images of its size",
  })
}

/** Embedded text, padding with an embedding for each position. b t d */
export const embedText = (
  config: SparseConfig,
  p: SparseParams,
  { tokens, mask }: Pick<SparseInputs, "tokens" | "mask">,
): tf.Tensor => tf.add(embed(p.text.token, padCaptions(tokens, mask, textClasses(config))), p.text.position)

/** The embedded sequence: text, then the image. b (t + s) d */
const embedAll = (config: SparseConfig, p: SparseParams, inputs: SparseInputs): tf.Tensor => {
  const { rows, columns, width } = config
  const places = tf.add(tf.reshape(p.image.row, [rows, 1, width]), tf.reshape(p.image.column, [1, columns, width])) // y x d
  const image = tf.add(embed(p.image.token, inputs.codes), tf.reshape(places, [rows * columns, width])) // b s d
  return tf.concat([embedText(config, p, inputs), image], 1)
}

/**
 * The trunk: the residual stream after the last norm.
 * @returns  float32  b (t + s) d
 * @throws BadLength  text or image are not of the model's size
 * @law      a later token never changes an earlier output
 * @law      a caption's padding has the embedding of its position, whatever stands there
 */
export const sparseTrunk = (
  config: SparseConfig,
  p: SparseParams,
  inputs: SparseInputs,
  attend: Attend = sparseAttention,
): tf.Tensor => {
  checkLengths(config, inputs)
  const made = new Map<string, SparseBlocks>()
  const blocksOf = (pattern: SparsePattern): SparseBlocks => {
    const known = made.get(pattern.kind) ?? sparseBlocks(gridOf(config), pattern)
    made.set(pattern.kind, known)
    return known
  }
  const patterns = sparsePatterns(config)
  let x = withPath("embed", () => embedAll(config, p, inputs)) // b (t + s) d
  for (const [i, layer] of p.blocks.entries()) {
    const blocks = blocksOf(patterns[i]!)
    x = withPath(`blocks.${i}`, () => sparseBlock(layer, x, config.heads, (q, k, v) => attend(blocks, q, k, v))) // b (t + s) d
  }
  return withPath("norm", () => norm(p.norm, x))
}

/**
 * Logits of the text token after each text position, and of each image token: of image token s given the text and the
 * image tokens before it. Those of the last text position predict no text.
 * @returns  `text` float32 b t v, `image` float32 b s k
 */
export const sparseLogits = (
  config: SparseConfig,
  p: SparseParams,
  inputs: SparseInputs,
  attend: Attend = sparseAttention,
): { readonly text: tf.Tensor; readonly image: tf.Tensor } => {
  const x = sparseTrunk(config, p, inputs, attend) // b (t + s) d
  const [b = 0, , d = 0] = x.shape
  const unembed = (table: tf.Tensor, from: number, count: number): tf.Tensor => {
    const flat = tf.reshape(tf.slice(x, [0, from, 0], [b, count, d]), [b * count, d])
    return tf.reshape(tf.matMul(flat, table, false, true), [b, count, table.shape[0]!])
  }
  const { text, rows, columns } = config
  return withPath("unembed", () => ({
    text: unembed(p.unembedding.text, 0, text), // b t v
    image: unembed(p.unembedding.image, text - 1, rows * columns), // b s k
  }))
}

// --- nodes

const inputs = {
  tokens: tensor("int32", "b t", "token"),
  mask: tensor("float32", "b t", "mask"),
  codes: tensor("int32", "b s", "code"),
}
const logits = { text: tensor("float32", "b t v", "logit"), image: tensor("float32", "b s k", "logit") }
const nats = tensor("float32", "", "nat")

/** The nodes of a sparse transformer over text and image codes. */
export const sparse = {
  /** `tokens`, `mask`, `codes` -> logits of the text token after each, and of each code. */
  logits: defineTensorNode({
    type: "sparse.logits",
    version: 1,
    source: "Ramesh et al. 2021, section 2.2 and appendix B.1",
    config: SparseConfig,
    ports: (config) => ({
      in: inputs,
      out: logits,
      sizes: { t: config.text, s: config.rows * config.columns, v: textClasses(config), k: config.imageVocab },
    }),
    params: sparseParams,
    apply: (config, p, given) => sparseLogits(config, p, given),
    laws: async (config) => (await import("./laws/modelNodeLaws.js")).sparseNodeLaws(config),
  }),
  /** Logits and what they predict -> ⅛ of the text's and ⅞ of the image's cross-entropy, and the two. */
  loss: defineTensorNode({
    type: "sparse.loss",
    version: 1,
    source: "Ramesh et al. 2021, section 2.2",
    config: Schema.Struct({
      pads: Schema.Literals(["counted", "ignored"]).annotate({
        description: "Whether padding is predicted too. Unstated in Ramesh et al. 2021.",
      }),
    }),
    ports: () => ({ in: { ...logits, ...inputs }, out: { loss: nats, textLoss: nats, imageLoss: nats } }),
    apply: (config, _, { text, image, tokens, mask, codes }) => ({
      ...sparseLoss(text, image, tokens, mask, codes, config),
    }),
    laws: async (config) => (await import("./laws/lossNodeLaws.js")).sparseLossNodeLaws(config),
  }),
}
