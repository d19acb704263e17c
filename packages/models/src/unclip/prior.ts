/**
 * unCLIP's diffusion prior: from a caption to the CLIP embedding of an image that could have it.
 *   [ text, z_text, time, noised z_image, query ] + position -> [ x + attention(norm x) ; x + mlp(norm x) ] * layers
 *     -> norm of the query -> z_image
 * Source   Ramesh et al. 2022, section 2.2 and appendix C; kakaobrain/karlo `PriorTransformer`.
 * Differs  GELU is the exact one, as in Karlo; the paper does not say. Initial values are GPT-2's, for the same reason.
 *          "Encoded text" may be tokens, embedded here (the paper's width, depth and count of parameters leave no room for
 *          an encoder besides), or another network's output, as CLIP's in Karlo.
 * Axes     b batch, t text position, s sequence, d width of the model, c width of CLIP's embeddings, n candidates
 */
import {
  defineTensorNode,
  embed,
  geluErf,
  layerNorm,
  linear,
  normal,
  type ParamsOf,
  silu,
  tensor,
  withPath,
  zeros,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { attention, joinHeads, partHeads, unseen } from "../layers/attention.js"
import { linearOf, normOf, param } from "../layers/params.js"
import { timeWaves } from "../layers/timeWaves.js"

// --- config

const Size = Schema.Int.check(Schema.isGreaterThan(0))

/**
 * - `embedding`: width of CLIP's joint space.
 * - `text`: positions of a caption; `encoded` is the width of the rows that stand for it, or `vocab` how many tokens
 *   there are to embed.
 * - `dropped`: what stands for a caption that is left out, for classifier-free guidance: `learned` rows and an embedding
 *   of their own (lucidrains/DALLE2-pytorch), or nothing, `masked`. The paper leaves captions out in a tenth of all
 *   examples and does not say what takes their place. Karlo keeps all and gives the empty caption instead.
 */
export const PriorConfig = Schema.Struct({
  embedding: Size,
  text: Schema.Union([Schema.Struct({ context: Size, encoded: Size }), Schema.Struct({ context: Size, vocab: Size })]),
  width: Size,
  layers: Size,
  heads: Size,
  dropped: Schema.Literals(["learned", "masked"]),
}).check(
  Schema.makeFilter(({ width, heads }) =>
    width % heads === 0 && width % 2 === 0 ? undefined : `width ${width} must be even and a multiple of heads ${heads}`,
  ),
)
export type PriorConfig = typeof PriorConfig.Type

/** What stands after the text: z_text, time, noised z_image, query. */
const added = 4

// --- parameters

const blockParams = (d: number, layers: number) => {
  const residual = 0.02 / Math.sqrt(2 * layers)
  return {
    norm1: normOf(d),
    attention: { qkv: linearOf(d, 3 * d, 0.02), out: linearOf(d, d, residual) },
    norm2: normOf(d),
    mlp: { up: linearOf(d, 4 * d, 0.02), down: linearOf(4 * d, d, residual) },
  }
}

/** Parameters of a prior, as specs. Nothing is allocated, at any size. */
export const priorParams = ({ embedding: c, text, width: d, layers, dropped }: PriorConfig) => ({
  text:
    "vocab" in text
      ? { token: param([text.vocab, d], normal(0.02)) }
      : { weight: param([text.encoded, d], normal(0.02)), bias: param([d], zeros) },
  textEmbedding: linearOf(c, d, 0.02),
  time1: linearOf(d, d, 0.02),
  time2: linearOf(d, d, 0.02),
  noised: linearOf(c, d, 0.02),
  query: param([d], normal(0.02)),
  position: param([text.context + added, d], normal(0.01)),
  blocks: Array.from({ length: layers }, () => blockParams(d, layers)),
  norm: normOf(d),
  out: linearOf(d, c, 0.02),
  ...(dropped === "learned"
    ? { null: { text: param([text.context, d], normal(0.02)), embedding: param([d], normal(0.02)) } }
    : {}),
})
export type PriorParams = ParamsOf<ReturnType<typeof priorParams>>

// --- forward

const norm = (p: PriorParams["norm"], x: tf.Tensor): tf.Tensor =>
  layerNorm(x, p.gain as tf.Tensor1D, p.bias as tf.Tensor1D, 1e-5)

const block = (p: PriorParams["blocks"][number], x: tf.Tensor, heads: number, bias: tf.Tensor): tf.Tensor => {
  const qkv = linear(norm(p.norm1, x), p.attention.qkv.weight, p.attention.qkv.bias) // b s (3 h e)
  const attended = joinHeads(attention(...partHeads(qkv, heads), bias)) // b s (h e)
  const between = tf.add(x, linear(attended, p.attention.out.weight, p.attention.out.bias)) // b s d
  const hidden = geluErf(linear(norm(p.norm2, between), p.mlp.up.weight, p.mlp.up.bias)) // b s (4 d)
  return tf.add(between, linear(hidden, p.mlp.down.weight, p.mlp.down.bias)) // b s d
}

export interface PriorInputs {
  /** Noised embeddings of images.  float32  b c */
  readonly noised: tf.Tensor
  /** Steps of noise that they have seen.  int32  b */
  readonly time: tf.Tensor
  /** The caption's CLIP embedding.  float32  b c */
  readonly textEmbedding: tf.Tensor
  /** The caption: its tokens  int32  b t,  or its encoded rows  float32  b t w */
  readonly text: tf.Tensor
  /** 1 for a caption's positions, 0 for padding.  float32  b t */
  readonly mask: tf.Tensor
  /** 1 where the caption counts, 0 where it is left out; none are left out without it.  float32  b */
  readonly kept?: tf.Tensor
}

/** Each position sees those up to itself, but for padding; a padded one sees itself. float32 b 1 s s */
const seenBias = (mask: tf.Tensor, s: number): tf.Tensor => {
  const [b = 0] = mask.shape
  const all = tf.concat([mask, tf.ones([b, added])], 1) // b s
  const keys = tf.reshape(tf.greater(all, 0.5), [b, 1, 1, s])
  const places = tf.range(0, s, 1, "int32")
  const [query, key] = [tf.reshape(places, [1, 1, s, 1]), tf.reshape(places, [1, 1, 1, s])]
  const seen = tf.logicalOr(tf.logicalAnd(tf.less(key, query), keys), tf.equal(key, query))
  return tf.where(seen, tf.scalar(0), tf.scalar(unseen))
}

/** The caption's rows and embedding, and what takes their place where it is left out. */
const captionOf = (config: PriorConfig, p: PriorParams, inputs: PriorInputs) => {
  const [b = 0] = inputs.noised.shape
  const { width: d, text } = config
  const real = tf.reshape(tf.greater(inputs.mask, 0.5), [b, text.context, 1])
  const rows = // b t d
    "token" in p.text
      ? embed(p.text.token, tf.where(tf.squeeze(real, [2]), inputs.text, tf.zerosLike(inputs.text)))
      : linear(tf.where(real, inputs.text, tf.scalar(0)), p.text.weight, p.text.bias)
  const embedding = linear(inputs.textEmbedding, p.textEmbedding.weight, p.textEmbedding.bias) // b d
  if (inputs.kept === undefined) return { rows, embedding, mask: inputs.mask }
  const kept = tf.reshape(tf.greater(inputs.kept, 0.5), [b, 1])
  if (p.null === undefined) {
    const none = tf.scalar(0)
    return { rows, embedding: tf.where(kept, embedding, none), mask: tf.where(kept, inputs.mask, none) }
  }
  return {
    rows: tf.where(tf.reshape(kept, [b, 1, 1]), rows, tf.reshape(p.null.text, [1, text.context, d])),
    embedding: tf.where(kept, embedding, tf.reshape(p.null.embedding, [1, d])),
    // All of the learned rows are seen.
    mask: tf.where(kept, inputs.mask, tf.onesLike(inputs.mask)),
  }
}

/**
 * The embedding of the image itself, as it is before noise.
 * @returns  float32  b c
 * @law      what stands at padding of the caption changes nothing
 * @law      where a caption is left out, neither it nor its embedding changes anything
 */
export const priorEmbedding = (config: PriorConfig, p: PriorParams, inputs: PriorInputs): tf.Tensor => {
  const [b = 0] = inputs.noised.shape
  const { width: d } = config
  const s = config.text.context + added
  const one = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [b, 1, d])
  const [x, bias] = withPath("embed", () => {
    const { rows, embedding, mask } = captionOf(config, p, inputs)
    const wave = silu(linear(timeWaves(inputs.time, d), p.time1.weight, p.time1.bias))
    const time = linear(wave, p.time2.weight, p.time2.bias) // b d
    const noised = linear(inputs.noised, p.noised.weight, p.noised.bias) // b d
    const query = tf.add(tf.zeros([b, d]), p.query)
    const sequence = tf.concat([rows, one(embedding), one(time), one(noised), one(query)], 1) // b s d
    return [tf.add(sequence, p.position), seenBias(mask, s)] as const
  })
  const last = p.blocks.reduce((y, layer, i) => withPath(`blocks.${i}`, () => block(layer, y, config.heads, bias)), x)
  return withPath("out", () => {
    const query = tf.reshape(tf.slice(last, [0, s - 1, 0], [b, 1, d]), [b, d])
    return linear(norm(p.norm, query), p.out.weight, p.out.bias) // b c
  })
}

// --- nodes

const embedding = tensor("float32", "b c", "embedding")
const shared = {
  noised: embedding,
  time: tensor("int32", "b", "step"),
  textEmbedding: embedding,
  mask: tensor("float32", "b t", "mask"),
  kept: tensor("float32", "b", "mask"),
}
const source = "Ramesh et al. 2022, section 2.2"

/** unCLIP's diffusion prior as nodes. */
export const prior = {
  /** A caption's tokens and what else there is -> the image's embedding. */
  predict: defineTensorNode({
    type: "prior.predict",
    version: 1,
    source,
    config: PriorConfig,
    ports: ({ embedding: c, text }) => ({
      in: { ...shared, text: tensor("int32", "b t", "token") },
      out: embedding,
      sizes: { c, t: text.context },
    }),
    params: priorParams,
    apply: (config, p, inputs) => priorEmbedding(config, p, inputs),
  }),
  /** The same of a caption that another network has encoded. */
  predictEncoded: defineTensorNode({
    type: "prior.predictEncoded",
    version: 1,
    source,
    config: PriorConfig,
    ports: ({ embedding: c, text }) => ({
      in: { ...shared, text: tensor("float32", "b t d", "encoded text") },
      out: embedding,
      sizes: { c, t: text.context, ...("encoded" in text ? { d: text.encoded } : {}) },
    }),
    params: priorParams,
    apply: (config, p, inputs) => priorEmbedding(config, p, inputs),
  }),
}
