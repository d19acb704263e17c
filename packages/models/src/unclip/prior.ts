/**
 * unCLIP's diffusion prior: from a caption to the CLIP embedding of an image that could have it.
 *   [ text, z_text, time, noised z_image, query ] + position -> transformer -> norm of the query -> z_image
 * Source   Ramesh et al. 2022, section 2.2 and appendix C; kakaobrain/karlo `PriorTransformer`.
 * Axes     b batch, t text position, s sequence, d width of the model, c width of CLIP's embeddings
 */
import { defineTensorNode, linear, normal, type ParamsOf, silu, tensor, withPath } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { norm } from "../layers/norm.js"
import { linearOf, normOf, param } from "../layers/params.js"
import { Size } from "../layers/sizes.js"
import { timeWaves } from "../layers/timeWaves.js"
import { type CaptionInputs, CaptionText, captionOf, captionParams, Dropped } from "./caption.js"
import { seenBias, transformer, transformerParams } from "./transformer.js"

// --- config

/** `embedding` is the width of CLIP's joint space. */
export const PriorConfig = Schema.Struct({
  embedding: Size,
  text: CaptionText,
  width: Size,
  layers: Size,
  heads: Size,
  dropped: Dropped,
}).check(
  Schema.makeFilter(({ width, heads }) =>
    width % heads === 0 && width % 2 === 0 ? undefined : `width ${width} must be even and a multiple of heads ${heads}`,
  ),
)
export type PriorConfig = typeof PriorConfig.Type

/** What stands after the text: z_text, time, noised z_image, query. */
const added = 4

// --- parameters

/** Parameters of a prior, as specs. Nothing is allocated, at any size. */
export const priorParams = (config: PriorConfig) => {
  const { embedding: c, text, width: d } = config
  return {
    ...captionParams(config),
    time1: linearOf(d, d, 0.02),
    time2: linearOf(d, d, 0.02),
    noised: linearOf(c, d, 0.02),
    query: param([d], normal(0.02)),
    position: param([text.context + added, d], normal(0.01)),
    blocks: transformerParams(config),
    norm: normOf(d),
    out: linearOf(d, c, 0.02),
  }
}
export type PriorParams = ParamsOf<ReturnType<typeof priorParams>>

// --- forward

export interface PriorInputs extends CaptionInputs {
  /** Noised embeddings of images.  float32  b c */
  readonly noised: tf.Tensor
  /** Steps of noise that they have seen.  int32  b */
  readonly time: tf.Tensor
}

/**
 * The embedding of the image itself, as it is before noise.
 * @returns  float32  b c
 * @law      what stands at padding of the caption changes nothing
 * @law      where a caption is left out, neither it nor its embedding changes anything
 */
export const priorEmbedding = (config: PriorConfig, p: PriorParams, inputs: PriorInputs): tf.Tensor => {
  const [b = 0] = inputs.noised.shape
  const { width: d, text } = config
  const one = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [b, 1, d])
  const [x, bias] = withPath("embed", () => {
    const { rows, embedding, mask } = captionOf(config, p, inputs)
    const wave = silu(linear(timeWaves(inputs.time, d), p.time1.weight, p.time1.bias))
    const time = linear(wave, p.time2.weight, p.time2.bias) // b d
    const noised = linear(inputs.noised, p.noised.weight, p.noised.bias) // b d
    const query = tf.add(tf.zeros([b, d]), p.query)
    const sequence = tf.concat([rows, one(embedding), one(time), one(noised), one(query)], 1) // b s d
    return [tf.add(sequence, p.position), seenBias(mask, added)] as const
  })
  const last = transformer(p.blocks, x, config.heads, bias) // b s d
  return withPath("out", () => {
    const query = tf.reshape(tf.slice(last, [0, text.context + added - 1, 0], [b, 1, d]), [b, d])
    return linear(norm(p.norm, query), p.out.weight, p.out.bias) // b c
  })
}

// --- nodes

const embedding = tensor("float32", "b c", "embedding")
const shared = {
  noised: tensor("float32", "b c", "noisy"),
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
    version: 2,
    source,
    config: PriorConfig,
    ports: ({ embedding: c, text }) => ({
      in: { ...shared, text: tensor("float32", "b t d", "feature") },
      out: embedding,
      sizes: { c, t: text.context, ...("encoded" in text ? { d: text.encoded } : {}) },
    }),
    params: priorParams,
    apply: (config, p, inputs) => priorEmbedding(config, p, inputs),
  }),
}
