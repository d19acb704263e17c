/**
 * A decoder: the noise in a small image of what a caption and a CLIP image embedding say. GLIDE is one without the latter.
 *   caption -> text encoder -> last token, projected ---+
 *   embedding -> projected ----------------------------- + -> added to the embedding of time -> U-Net -> noise, variance
 *   [ embedding as 4 tokens ; all tokens of the caption ] -> more keys and values of each attention ---^
 * Source   Ramesh et al. 2022, section 2.1; Nichol et al. 2021, section 4.1. With `text: clip` kakaobrain/karlo.
 * Differs  The order of the context's tokens is not stated; nothing depends on it.
 * Axes     b batch, y x image row and column, c channels, t caption position, s context token, d width of an embedding
 */
import {
  defineTensorNode,
  layerNorm,
  linear,
  type ParamSpec,
  tensor,
  withPath,
  zeros,
} from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { type Affine, linearOf, type Norm, normOf, param } from "./layers/params.js"
import { Size } from "./layers/sizes.js"
import { encodeText, lastPosition, TextEncoderConfig, type TextEncoderTree, textEncoderParams } from "./textEncoder.js"
import {
  noiseAndVariance,
  type UnetConditions,
  UnetConfig,
  type UnetTree,
  unetEmbedding,
  unetParams,
  unetPredict,
} from "./unet.js"

// --- config

/**
 * The shape of a decoder.
 *
 * - `text`: `encoder`, a text encoder that is trained with the decoder (GLIDE, unCLIP), as wide as the U-Net's context;
 *   or `clip`, the outputs of a CLIP text tower that is not trained (Karlo), as wide as the image embedding.
 * - `image`: the CLIP image embedding's width, where there is one, and in how many tokens of context it is given
 *   (unCLIP's 4 unless set).
 * - `dropped`: what stands for an image embedding that is dropped, which the paper leaves open as "zero (or a learned
 *   embedding)": `learned` (the default, Karlo) or `zero`.
 */
export const DecoderConfig = Schema.Struct({
  unet: UnetConfig,
  text: Schema.Union([
    Schema.Struct({ kind: Schema.Literal("encoder"), encoder: TextEncoderConfig }),
    Schema.Struct({ kind: Schema.Literal("clip") }),
  ]),
  image: Schema.optionalKey(
    Schema.Struct({
      width: Size,
      tokens: Schema.optionalKey(Size),
      dropped: Schema.optionalKey(Schema.Literals(["learned", "zero"])),
    }),
  ),
}).check(
  Schema.makeFilter(({ unet, text, image }) => {
    if (unet.context === undefined) return "unet.context is missing: the width of the context's tokens"
    if (text.kind === "clip")
      return image === undefined ? "image is missing: CLIP's text is as wide as its images" : undefined
    return text.encoder.width === unet.context
      ? undefined
      : `unet.context ${unet.context} must be text.encoder.width ${text.encoder.width}`
  }),
  Schema.makeFilter(({ unet: { input = 3, output = 3 } }) =>
    output === 2 * input ? undefined : `unet.output ${output} must be 2 · input: noise and variance`,
  ),
)
export type DecoderConfig = typeof DecoderConfig.Type

// --- parameters

/** A decoder's parameters: specs, tensors, gradients, whatever stands at the leaves. */
export type DecoderTree<Leaf> = {
  readonly unet: UnetTree<Leaf>
  readonly text: {
    /** Where the encoder is trained with the decoder. */
    readonly encoder?: TextEncoderTree<Leaf>
    /** From the whole caption to the embedding of time. */
    readonly time: Affine<Leaf>
    /** From CLIP's text to the context, where it is CLIP's. */
    readonly sequence?: Affine<Leaf>
    readonly norm?: Norm<Leaf>
  }
  readonly image?: {
    /** From the embedding to the embedding of time. */
    readonly time: Affine<Leaf>
    /** From the embedding to its tokens, one behind the other. */
    readonly tokens: Affine<Leaf>
    /** What stands for an embedding that was dropped. d */
    readonly dropped?: Leaf
  }
}
export type DecoderParams = DecoderTree<tf.Tensor>

/** Parameters of a decoder, as specs. Nothing is allocated, at any size. */
export const decoderParams = ({ unet, text, image }: DecoderConfig): DecoderTree<ParamSpec> => {
  const [time, context] = [unetEmbedding(unet), unet.context ?? 0]
  const pooled = text.kind === "encoder" ? text.encoder.width : (image?.width ?? 0)
  return {
    unet: unetParams(unet),
    text: {
      ...(text.kind === "encoder" ? { encoder: textEncoderParams(text.encoder) } : {}),
      time: linearOf(pooled, time),
      ...(text.kind === "clip" ? { sequence: linearOf(pooled, context), norm: normOf(context) } : {}),
    },
    ...(image === undefined
      ? {}
      : {
          image: {
            time: linearOf(image.width, time),
            tokens: linearOf(image.width, (image.tokens ?? 4) * context),
            ...(image.dropped === "zero" ? {} : { dropped: param([image.width], zeros) }),
          },
        }),
  }
}

// --- forward

/** A caption as a text tower gives it. */
export interface EncodedText {
  /** float32  b t d */
  readonly sequence: tf.Tensor
  /** float32  b d */
  readonly pooled: tf.Tensor
  /** 1 for a token, 0 for padding that attention must not see; all are seen unless given.  b t */
  readonly mask?: tf.Tensor
}

/** A CLIP image embedding, and whether it is kept. */
export interface ImageEmbedding {
  /** float32  b d */
  readonly embedding: tf.Tensor
  /** 1 where it is kept, 0 where it is dropped; kept unless given.  b */
  readonly keep?: tf.Tensor
}

const flag = (x: tf.Tensor): tf.Tensor => tf.greater(tf.cast(x, "float32"), 0.5)

/**
 * What a U-Net is told of a caption and an image embedding. It is the same at each step of sampling.
 * @law a dropped embedding, NaN or whatever else it is, changes nothing
 */
export const decoderConditions = (
  config: DecoderConfig,
  p: DecoderParams,
  text: EncodedText,
  image?: ImageEmbedding,
): UnetConditions => {
  const { time, sequence, norm } = p.text
  const words = sequence === undefined ? text.sequence : linear(text.sequence, sequence.weight, sequence.bias) // b t d
  const caption = norm === undefined ? words : layerNorm(words, norm.gain as tf.Tensor1D, norm.bias as tf.Tensor1D)
  const fromText = linear(text.pooled, time.weight, time.bias) // b (4 width)
  const seen = text.mask === undefined ? undefined : flag(text.mask) // b t
  if (image === undefined || p.image === undefined || config.image === undefined) {
    return { embedding: fromText, context: { tokens: caption, ...(seen === undefined ? {} : { seen }) } }
  }
  const [b = 0, d = 0] = image.embedding.shape
  const dropped = p.image.dropped ?? tf.zeros([d])
  const z =
    image.keep === undefined
      ? image.embedding
      : tf.where(tf.reshape(flag(image.keep), [b, 1]), image.embedding, dropped) // b d
  const count = config.image.tokens ?? 4
  const tokens = tf.reshape(linear(z, p.image.tokens.weight, p.image.tokens.bias), [b, count, -1]) // b 4 d
  return {
    embedding: tf.add(fromText, linear(z, p.image.time.weight, p.image.time.bias)), // b (4 width)
    context: {
      tokens: tf.concat([tokens, caption], 1), // b s d
      ...(seen === undefined ? {} : { seen: tf.concat([tf.ones([b, count], "bool"), seen], 1) }),
    },
  }
}

/** A caption as ids, and whether it is kept. */
export interface Caption {
  /** int32  b t */
  readonly tokens: tf.Tensor
  /** 1 for a token, 0 for padding.  b t */
  readonly mask: tf.Tensor
  /** 1 where the caption is kept, 0 where it is dropped; kept unless given.  b */
  readonly keep?: tf.Tensor
}

/**
 * A caption through the decoder's own encoder. One that is dropped becomes the empty caption, of paddings alone.
 * @law nothing depends on a caption that is dropped
 */
export const decoderText = (
  config: TextEncoderConfig,
  p: TextEncoderTree<tf.Tensor>,
  caption: Caption,
): EncodedText => {
  const { tokens, mask, keep } = caption
  const words = flag(mask) // b t
  const kept = keep === undefined ? words : tf.logicalAnd(words, tf.reshape(flag(keep), [-1, 1])) // b t
  const sequence = withPath("text", () => encodeText(config, p, tokens, kept)) // b t d
  return { sequence, pooled: lastPosition(sequence) }
}

// --- nodes

const noisy = tensor("float32", "b y x c", "noisy")
const time = tensor("int32", "b", "step")
const tokens = tensor("int32", "b t", "token")
const mask = tensor("float32", "b t", "mask")
const keep = tensor("float32", "b", "mask")
const embedding = tensor("float32", "b d", "embedding")
const out = {
  noise: tensor("float32", "b y x c", "noise"),
  variance: tensor("float32", "b y x c", "variance"),
} as const

const channelsOf = ({ unet: { input = 3 } }: DecoderConfig): number => input

/** A config for one of the nodes below. */
const configWith = (text: "encoder" | "clip", image: boolean) =>
  DecoderConfig.check(
    Schema.makeFilter((config) => {
      if (config.text.kind !== text) return `text must be of kind ${text}`
      return (config.image !== undefined) === image ? undefined : `image must be ${image ? "given" : "left out"}`
    }),
  )

/** The text encoder of a config that has one. */
const encoderOf = ({ text }: DecoderConfig, p: DecoderParams, caption: Caption): EncodedText => {
  if (text.kind !== "encoder" || p.text.encoder === undefined) {
    throw new Error("internal: a decoder without a text encoder was given a caption")
  }
  return decoderText(text.encoder, p.text.encoder, caption)
}

/** Decoders as nodes. `keep…` are the masks of classifier-free guidance: drawn in training, 0 for its unguided half. */
export const decoder = {
  /** unCLIP's: a noisy image of its `time`, a caption and an image embedding -> noise and variance. */
  predict: defineTensorNode({
    type: "decoder.predict",
    version: 1,
    source: "Ramesh et al. 2022, section 2.1",
    config: configWith("encoder", true),
    ports: (config) => ({
      in: { image: noisy, time, tokens, mask, keepCaption: keep, embedding, keepEmbedding: keep },
      out,
      sizes: {
        c: channelsOf(config),
        d: config.image?.width ?? 0,
        t: config.text.kind === "encoder" ? config.text.encoder.context : 0,
      },
    }),
    params: decoderParams,
    apply: (config, p, { image, time, tokens, mask, keepCaption, embedding, keepEmbedding }) => {
      const text = encoderOf(config, p, { tokens, mask, keep: keepCaption })
      const told = decoderConditions(config, p, text, { embedding, keep: keepEmbedding })
      return noiseAndVariance(unetPredict(config.unet, p.unet, image, time, told))
    },
  }),
  /** GLIDE: a noisy image of its `time` and a caption -> noise and variance. */
  predictFromText: defineTensorNode({
    type: "decoder.predictFromText",
    version: 1,
    source: "Nichol et al. 2021, section 4.1",
    config: configWith("encoder", false),
    ports: (config) => ({
      in: { image: noisy, time, tokens, mask, keepCaption: keep },
      out,
      sizes: { c: channelsOf(config), t: config.text.kind === "encoder" ? config.text.encoder.context : 0 },
    }),
    params: decoderParams,
    apply: (config, p, { image, time, tokens, mask, keepCaption }) => {
      const told = decoderConditions(config, p, encoderOf(config, p, { tokens, mask, keep: keepCaption }))
      return noiseAndVariance(unetPredict(config.unet, p.unet, image, time, told))
    },
  }),
  /**
   * Karlo's: a noisy image of its `time`, a caption as CLIP's text tower gives it and an image embedding -> noise and
   * variance. A caption is dropped by giving the empty one.
   */
  predictFromClip: defineTensorNode({
    type: "decoder.predictFromClip",
    version: 1,
    source: "kakaobrain/karlo, `unet.py`, PLMImUNet",
    config: configWith("clip", true),
    ports: (config) => ({
      in: {
        image: noisy,
        time,
        sequence: tensor("float32", "b t d", "feature"),
        mask,
        pooled: embedding,
        embedding,
        keepEmbedding: keep,
      },
      out,
      sizes: { c: channelsOf(config), d: config.image?.width ?? 0 },
    }),
    params: decoderParams,
    apply: (config, p, { image, time, sequence, mask, pooled, embedding, keepEmbedding }) => {
      const told = decoderConditions(config, p, { sequence, pooled, mask }, { embedding, keep: keepEmbedding })
      return noiseAndVariance(unetPredict(config.unet, p.unet, image, time, told))
    },
  }),
}
