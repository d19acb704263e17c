/**
 * unCLIP's autoregressive prior: a CLIP embedding as a row of codes, predicted one after the other.
 *   [ text, z_text, dot, code 1, code 2, … ] + position -> transformer -> norm -> logits of each next code
 * A code is one principal component of the embedding in one of `buckets`; `dot` is z_image · z_text, in buckets likewise.
 * Source   Ramesh et al. 2022, section 2.2 and appendix C.
 * Differs  One causal transformer reads the text and the codes. The paper's table 3 has a text encoder of width 2048 beside
 *          a latent decoder of width 1664 and context 384, and does not say how they meet: the text's 256 positions and 319
 *          codes do not fit into 384. Its encoder may stand before this one, as `encoded` text.
 * Axes     b batch, t text position, k code, s sequence, d width of the model, c width of CLIP's embeddings, v buckets
 */
import { defineTensorNode, embed, linear, normal, type ParamsOf, tensor, withPath } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { norm } from "../layers/norm.js"
import { linearOf, normOf, param } from "../layers/params.js"
import { headsDivide, Size } from "../layers/sizes.js"
import { type CaptionInputs, CaptionText, captionOf, captionParams, Dropped } from "./caption.js"
import { seenBias, transformer, transformerParams } from "./transformer.js"

// --- config

/**
 * - `embedding`: width of CLIP's joint space.
 * - `codes`: principal components that are kept, two or more: 319 in the paper.
 * - `buckets`: of each component, 1,024 in the paper; `dotBuckets` of the dot product, which the paper does not state.
 */
export const AutoregressivePriorConfig = Schema.Struct({
  embedding: Size,
  text: CaptionText,
  codes: Size.check(Schema.isGreaterThan(1)),
  buckets: Size,
  dotBuckets: Size,
  width: Size,
  layers: Size,
  heads: Size,
  dropped: Dropped,
}).check(Schema.makeFilter(headsDivide))
export type AutoregressivePriorConfig = typeof AutoregressivePriorConfig.Type

// --- parameters

/** What stands between the text and the first code: z_text and the dot product. */
export const added = 2

/** Parameters of an autoregressive prior, as specs. Nothing is allocated, at any size. */
export const autoregressivePriorParams = (config: AutoregressivePriorConfig) => {
  const { text, codes, buckets, dotBuckets, width: d } = config
  return {
    ...captionParams(config),
    dot: param([dotBuckets, d], normal(0.02)),
    code: param([buckets, d], normal(0.02)),
    // The last code is predicted and never read.
    position: param([text.context + added + codes - 1, d], normal(0.01)),
    blocks: transformerParams(config),
    norm: normOf(d),
    out: linearOf(d, buckets, 0.02),
  }
}
export type AutoregressivePriorParams = ParamsOf<ReturnType<typeof autoregressivePriorParams>>

// --- forward

export interface AutoregressivePriorInputs extends CaptionInputs {
  /** Buckets of z_image · z_text.  int32  b */
  readonly dot: tf.Tensor
  /** Buckets of the components.  int32  b k */
  readonly codes: tf.Tensor
}

/**
 * What stands before the codes, and which of the caption's rows are seen.
 * @returns  rows float32 b t+2 d, without their positions; mask float32 b t
 */
export const priorPrefix = (
  config: AutoregressivePriorConfig,
  p: AutoregressivePriorParams,
  inputs: Omit<AutoregressivePriorInputs, "codes">,
) => {
  const { rows, embedding, mask } = captionOf(config, p, inputs)
  const one = (x: tf.Tensor): tf.Tensor => tf.expandDims(x, 1) // b 1 d
  return { rows: tf.concat([rows, one(embedding), one(embed(p.dot, inputs.dot))], 1), mask }
}

/** Logits of the next code. float32 `b d` -> `b v` */
export const nextCode = (p: AutoregressivePriorParams, x: tf.Tensor): tf.Tensor =>
  linear(norm(p.norm, x), p.out.weight, p.out.bias)

/**
 * Logits of each code, given the caption, the dot product and the codes before it.
 * @returns  float32  b k v
 * @law      a later code never changes an earlier code's logits, and no code changes its own
 * @law      where a caption is left out, neither it nor its embedding changes anything
 */
export const autoregressivePriorLogits = (
  config: AutoregressivePriorConfig,
  p: AutoregressivePriorParams,
  inputs: AutoregressivePriorInputs,
): tf.Tensor => {
  const { text, codes: k, width: d, buckets } = config
  const [b = 0] = inputs.dot.shape
  const [x, bias] = withPath("embed", () => {
    const { rows, mask } = priorPrefix(config, p, inputs)
    const read = embed(p.code, tf.slice(inputs.codes, [0, 0], [b, k - 1])) // b k-1 d
    const sequence = tf.concat([rows, read], 1) // b s d
    return [tf.add(sequence, p.position), seenBias(mask, added + k - 1)] as const
  })
  const last = transformer(p.blocks, x, config.heads, bias) // b s d
  return withPath("out", () => {
    // The dot product's position predicts the first code.
    const predicting = tf.reshape(tf.slice(last, [0, text.context + 1, 0], [b, k, d]), [b * k, d])
    return tf.reshape(nextCode(p, predicting), [b, k, buckets])
  })
}

// --- nodes

const codes = tensor("int32", "b k", "code")
const shared = {
  textEmbedding: tensor("float32", "b c", "embedding"),
  mask: tensor("float32", "b t", "mask"),
  kept: tensor("float32", "b", "mask"),
  dot: tensor("int32", "b", "bucket"),
  codes,
}
const source = "Ramesh et al. 2022, section 2.2"
const sizesOf = ({ embedding: c, text, codes: k, buckets: v }: AutoregressivePriorConfig) => ({
  c,
  k,
  v,
  t: text.context,
  ...("encoded" in text ? { d: text.encoded } : {}),
})

/** unCLIP's autoregressive prior as nodes. */
export const autoregressivePrior = {
  /** A caption's tokens, the dot product and codes -> logits of each code given those before it. */
  logits: defineTensorNode({
    type: "autoregressivePrior.logits",
    version: 1,
    source,
    config: AutoregressivePriorConfig,
    ports: (config) => ({
      in: { ...shared, text: tensor("int32", "b t", "token") },
      out: tensor("float32", "b k v", "logit"),
      sizes: sizesOf(config),
    }),
    params: autoregressivePriorParams,
    apply: (config, p, inputs) => autoregressivePriorLogits(config, p, inputs),
  }),
  /** The same of a caption that another network has encoded. */
  logitsEncoded: defineTensorNode({
    type: "autoregressivePrior.logitsEncoded",
    version: 2,
    source,
    config: AutoregressivePriorConfig,
    ports: (config) => ({
      in: { ...shared, text: tensor("float32", "b t d", "feature") },
      out: tensor("float32", "b k v", "logit"),
      sizes: sizesOf(config),
    }),
    params: autoregressivePriorParams,
    apply: (config, p, inputs) => autoregressivePriorLogits(config, p, inputs),
  }),
}
