/** How unCLIP's decoder is shaped, trained and sampled. */
import { type DecoderConfig, DiffusionConfig, diffusionLosses, UnetConfig } from "@millrace/models"
import { Schema } from "effect"
import { Count, CountOrZero, Fraction } from "../ranges.js"
import { FitConfig } from "../trainer.js"

/** A U-Net without the widths that what stands around it decides; the variance's channels come out in any case. */
const { context: _context, input: _input, output: _output, ...unet } = UnetConfig.fields
export const UnetShape = Schema.Struct(unet)

export const DecoderStageConfig = Schema.Struct({
  model: Schema.Struct({
    unet: UnetShape,
    /** The text encoder that learns with the U-Net; its width is that of the context's tokens. */
    text: Schema.Struct({ context: Count, width: Count, layers: Count, heads: Count }),
    /** Tokens of context in which an embedding is given: 4 in the paper. */
    tokens: Count,
    dropped: Schema.Literals(["learned", "zero"]),
  }),
  diffusion: DiffusionConfig,
  loss: Schema.Literals(diffusionLosses),
  /** The shares of captions and of image embeddings that are left out: 0.5 and 0.1 in the paper. */
  drops: Schema.Struct({ caption: Fraction, embedding: Fraction }),
  batch: Count,
  fit: FitConfig,
  /** What is looked at on the way: the same held-out embeddings, decoded from the same noise. */
  watch: Schema.Struct({ every: Count, images: CountOrZero, steps: Count, guidance: Schema.Finite }),
})
export type DecoderStageConfig = typeof DecoderStageConfig.Type

/** The model that a stage's config means, for embeddings and a vocabulary of some size. */
export const decoderConfigOf = (
  { unet, text, tokens, dropped }: DecoderStageConfig["model"],
  joint: number,
  vocab: number,
): DecoderConfig => ({
  unet: { ...unet, context: text.width, output: 6 },
  text: { kind: "encoder", encoder: { ...text, vocab } },
  image: { width: joint, tokens, dropped },
})

/** How images are sampled: by DDIM in so many steps. */
export const DecoderSampling = Schema.Struct({
  /** Of classifier-free guidance: 1 is what the embedding says, 0 what the network says without one. */
  guidance: Schema.Finite,
  steps: Count,
  /** 0 is deterministic; 1 is as random as DDPM. */
  eta: Fraction,
  /** Images at a time. */
  batch: Count,
})
export type DecoderSampling = typeof DecoderSampling.Type
