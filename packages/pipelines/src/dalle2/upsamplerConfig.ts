/** How unCLIP's upsampler is shaped, trained and sampled. */
import { DiffusionConfig, diffusionLosses, type UpsamplerConfig } from "@millrace/models"
import { Schema } from "effect"
import { Count, CountOrZero, Fraction, Positive } from "../ranges.js"
import { FitConfig } from "../trainer.js"
import { UnetShape } from "./decoderConfig.js"

export const UpsamplerStageConfig = Schema.Struct({
  /** Rows and columns of the small images, which divide those of the large ones. */
  from: Count,
  model: Schema.Struct({ unet: UnetShape, resize: Schema.Literals(["bilinear", "bicubic"]) }),
  diffusion: DiffusionConfig,
  loss: Schema.Literals(diffusionLosses),
  /** What the small images go through, so that those of the decoder do not surprise it. */
  corruption: Schema.Union([
    Schema.Struct({
      kind: Schema.Literal("blur"),
      taps: Count.check(Schema.makeFilter((taps) => (taps % 2 === 1 ? undefined : `taps ${taps} must be odd`))),
      sigma: Positive,
    }),
    /** Blur, lost resolution, noise and JPEG in an order of chance. */
    Schema.Struct({ kind: Schema.Literal("degrade") }),
  ]),
  /** The share of the sides that a step sees: a quarter in the paper. */
  crop: Fraction,
  batch: Count,
  fit: FitConfig,
  watch: Schema.Struct({ every: Count, images: CountOrZero, steps: Count }),
})
export type UpsamplerStageConfig = typeof UpsamplerStageConfig.Type

export const upsamplerConfigOf = ({ unet, resize }: UpsamplerStageConfig["model"]): UpsamplerConfig => ({
  unet: { ...unet, input: 6, output: 6 },
  resize,
})

export const UpsamplerSampling = Schema.Struct({
  /** Steps of DDIM: 27 in the paper for the first upsampler. */
  steps: Count,
  batch: Count,
})
export type UpsamplerSampling = typeof UpsamplerSampling.Type
