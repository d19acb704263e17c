/**
 * GPT: a causal transformer over tokens.
 *   tokens -> embed + position -> [ x + attention(norm x) ; x + mlp(norm x) ] * layers -> norm -> logits
 * Source   Radford et al. 2019, section 2.3; Brown et al. 2020, table 2.1.
 * Differs  GPT-3's locally banded layers are dense here: their width was not published.
 * Axes     b batch, t position, s key position, d width, h heads, e head width, f feed-forward width, v vocabulary
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
import { attention, causalBias, joinHeads, paddedCausalBias, partHeads } from "./layers/attention.js"
import type { BlockTree } from "./layers/blockTree.js"
import { norm } from "./layers/norm.js"
import { linearOf, type Norm, normOf, param } from "./layers/params.js"
import { headsDivide, Size } from "./layers/sizes.js"

// --- config

/**
 * The shape of a GPT.
 *
 * - `mlp` is 4 · width unless given.
 * - `tied`: the unembedding is the token embedding (the default, as in GPT-2), or a matrix of its own.
 * - `init`: how weights start.
 *   `gpt2` (default) N(0, 0.02), positions N(0, 0.01), residual projections N(0, 0.02 / √(2 layers));
 *   `nanogpt` the same with positions N(0, 0.02) (karpathy/nanoGPT `model.py`);
 *   `lm-hp` projections N(0, 1/√inputs), residual ones N(0, 1/√(inputs · layers)) (openai/lm-human-preferences).
 * - Dropout there is none: InstructGPT's SFT alone uses it, and it would make a step depend on more than its inputs.
 */
export const GptConfig = Schema.Struct({
  vocab: Size,
  context: Size,
  width: Size,
  layers: Size,
  heads: Size,
  mlp: Schema.optionalKey(Size),
  tied: Schema.optionalKey(Schema.Boolean),
  init: Schema.optionalKey(Schema.Literals(["gpt2", "nanogpt", "lm-hp"])),
}).check(Schema.makeFilter(headsDivide))
export type GptConfig = typeof GptConfig.Type

// --- parameters

/** A GPT's parameters: specs, tensors, gradients, whatever stands at the leaves. */
export type GptTree<Leaf> = {
  /** v d */
  readonly token: Leaf
  /** t d */
  readonly position: Leaf
  readonly blocks: ReadonlyArray<BlockTree<Leaf>>
  readonly norm: Norm<Leaf>
  /** v d, where it is not tied to `token` */
  readonly unembedding?: Leaf
}
export type GptParams = GptTree<tf.Tensor>

/** Parameters of a GPT, as specs. Nothing is allocated, at any size. */
export const gptParams = (config: GptConfig): GptTree<ParamSpec> => {
  const { vocab, context, width: d, layers, mlp: f = 4 * d, init = "gpt2" } = config
  const std = (inputs: number): number => (init === "lm-hp" ? 1 / Math.sqrt(inputs) : 0.02)
  const residual = (inputs: number): number => std(inputs) / Math.sqrt(init === "lm-hp" ? layers : 2 * layers)
  return {
    token: param([vocab, d], normal(0.02)),
    position: param([context, d], normal(init === "nanogpt" ? 0.02 : 0.01)),
    blocks: Array.from({ length: layers }, () => ({
      norm1: normOf(d),
      attention: { qkv: linearOf(d, 3 * d, std(d)), out: linearOf(d, d, residual(d)) },
      norm2: normOf(d),
      mlp: { up: linearOf(d, f, std(d)), down: linearOf(f, d, residual(f)) },
    })),
    norm: normOf(d),
    ...(config.tied === false ? { unembedding: param([vocab, d], normal(0.02)) } : {}),
  }
}

// --- forward

/** Queries, keys and values of one block, from its normalised input: one product. */
export const queriesKeysValues = (
  p: BlockTree<tf.Tensor>,
  x: tf.Tensor,
  heads: number,
): [q: tf.Tensor, k: tf.Tensor, v: tf.Tensor] =>
  partHeads(linear(x, p.attention.qkv.weight, p.attention.qkv.bias), heads) // each b h t e

/** The residual stream after attention was added to it. `attended` is b h t e. */
export const addAttended = (p: BlockTree<tf.Tensor>, x: tf.Tensor, attended: tf.Tensor): tf.Tensor =>
  tf.add(x, linear(joinHeads(attended), p.attention.out.weight, p.attention.out.bias))

/** The residual stream after the feed-forward layer was added to it. */
export const addMlp = (p: BlockTree<tf.Tensor>, x: tf.Tensor): tf.Tensor => {
  const hidden = gelu(linear(norm(p.norm2, x), p.mlp.up.weight, p.mlp.up.bias)) // b t f
  return tf.add(x, linear(hidden, p.mlp.down.weight, p.mlp.down.bias)) // b t d
}

const block = (p: BlockTree<tf.Tensor>, x: tf.Tensor, heads: number, bias: tf.Tensor): tf.Tensor => {
  const [q, k, v] = queriesKeysValues(p, norm(p.norm1, x), heads)
  return addMlp(p, addAttended(p, x, attention(q, k, v, bias)))
}

/** Padding, and places in the text where they are not simply 0, 1, 2, … */
export interface GptInputs {
  /** Real tokens are 1 or true, padding (on the left, on the right, in between) 0 or false. float32, int32, bool  b t */
  readonly mask?: tf.Tensor
  /** Positions of the tokens; by default the number of real tokens before each. int32  b t */
  readonly positions?: tf.Tensor
}

/** A mask of any type as booleans. */
export const real = (mask: tf.Tensor): tf.Tensor => tf.greater(tf.cast(mask, "float32"), 0.5)

const checkLength = ({ context }: GptConfig, length: number): void => {
  if (length <= context) return
  throw new BadLength({
    where: "gpt",
    expected: `at most ${context} tokens, the model's context`,
    received: `${length} tokens`,
    fix: "cut the text, or train a model with a longer context",
  })
}

/**
 * The trunk: the residual stream after the last norm.
 *
 * Padding never leaks: padded tokens are replaced before they are looked up and their embeddings after it, by selection
 * and not by products, so that neither an id outside of the vocabulary nor a NaN gets past. What comes out at padded
 * positions is finite and means nothing. Without a mask nothing of this is computed.
 * @param tokens  int32  b t
 * @returns       float32  b t d
 * @throws BadLength  t is above the context
 * @law           a later token never changes an earlier output
 * @law           padding on either side changes no output at a real token
 */
export const gptTrunk = (config: GptConfig, p: GptParams, tokens: tf.Tensor, inputs: GptInputs = {}): tf.Tensor => {
  const [b = 0, t = 0] = tokens.shape
  checkLength(config, t)
  const mask = inputs.mask === undefined ? null : real(inputs.mask)
  const bias = mask === null ? causalBias(t) : paddedCausalBias(mask)
  let x = withPath("embed", () => {
    if (mask === null) {
      const places =
        inputs.positions === undefined
          ? tf.slice(p.position, [0, 0], [t, config.width])
          : embed(p.position, inputs.positions)
      return tf.add(embed(p.token, tokens), places) // b t d
    }
    const nothing = tf.zerosLike(tokens)
    const places = inputs.positions ?? tf.cumsum(tf.cast(mask, "int32"), 1, true) // b t
    const sum = tf.add(
      embed(p.token, tf.where(mask, tokens, nothing)),
      embed(p.position, tf.where(mask, places, nothing)),
    ) // b t d
    return tf.where(tf.reshape(mask, [b, t, 1]), sum, tf.scalar(0)) // b t d
  })
  for (const [i, layer] of p.blocks.entries()) {
    x = withPath(`blocks.${i}`, () => block(layer, x, config.heads, bias)) // b t d
  }
  return withPath("norm", () => norm(p.norm, x))
}

/** Logits of the next token, from the trunk's output. float32 `… d` -> `… v`. */
export const gptUnembed = (p: GptParams, x: tf.Tensor): tf.Tensor => {
  const table = p.unembedding ?? p.token // v d
  const flat = tf.reshape(x, [-1, table.shape[1] ?? 0])
  return tf.reshape(tf.matMul(flat, table, false, true), [...x.shape.slice(0, -1), table.shape[0] ?? 0])
}

/**
 * Logits of the token after each position.
 * @param tokens  int32  b t
 * @returns       float32  b t v
 */
export const gptLogits = (config: GptConfig, p: GptParams, tokens: tf.Tensor, inputs: GptInputs = {}): tf.Tensor => {
  const x = gptTrunk(config, p, tokens, inputs)
  return withPath("unembed", () => gptUnembed(p, x)) // b t v
}

// --- nodes

const tokens = tensor("int32", "b t", "token")
const mask = tensor("float32", "b t", "mask")
const source = "Radford et al. 2019, section 2.3"

/** A GPT's nodes. Padding on the right needs no mask here: it comes after every real token, and no token sees what comes after it. */
export const gpt = {
  /** `tokens` -> logits of the token after each. */
  logits: defineTensorNode({
    type: "gpt.logits",
    version: 1,
    source,
    config: GptConfig,
    ports: ({ vocab }) => ({ in: { tokens }, out: tensor("float32", "b t v", "logit"), sizes: { v: vocab } }),
    params: gptParams,
    apply: (config, p, { tokens }) => gptLogits(config, p, tokens),
    laws: async (config) => (await import("./laws/modelNodeLaws.js")).gptNodeLaws(config),
  }),
  /** The same for texts that are padded on the left. */
  maskedLogits: defineTensorNode({
    type: "gpt.maskedLogits",
    version: 1,
    source,
    config: GptConfig,
    ports: ({ vocab }) => ({ in: { tokens, mask }, out: tensor("float32", "b t v", "logit"), sizes: { v: vocab } }),
    params: gptParams,
    apply: (config, p, { tokens, mask }) => gptLogits(config, p, tokens, { mask }),
    laws: async (config) => (await import("./laws/modelNodeLaws.js")).maskedGptNodeLaws(config),
  }),
  /** `tokens` -> what the logits are computed from. */
  trunk: defineTensorNode({
    type: "gpt.trunk",
    version: 1,
    source,
    config: GptConfig,
    ports: ({ width }) => ({ in: { tokens }, out: tensor("float32", "b t d"), sizes: { d: width } }),
    params: (config) => gptParams({ ...config, tied: true }),
    apply: (config, p, { tokens }) => gptTrunk(config, p, tokens),
    laws: async (config) => (await import("./laws/modelNodeLaws.js")).gptNodeLaws(config),
  }),
}
