/** How a prior of unCLIP is shaped and trained. */
import { NoiseScheduleConfig } from "@millrace/models"
import { Schema } from "effect"
import { Count, Fraction, Positive } from "../ranges.js"
import { FitConfig } from "../trainer.js"

/** `model` without the widths of embeddings and vocabulary, which CLIP decides. */
export const PriorStageConfig = Schema.Struct({
  kind: Schema.Literals(["diffusion", "autoregressive"]),
  model: Schema.Struct({
    /** Tokens of the longest caption; a longer one is cut. */
    context: Count,
    width: Count,
    layers: Count,
    heads: Count,
    dropped: Schema.Literals(["learned", "masked"]),
  }),
  /** The share of captions that are left out, so that sampling can be guided: 0.1 in the paper. */
  drop: Fraction,
  /** Of the diffusion prior alone. */
  diffusion: Schema.Struct({
    schedule: NoiseScheduleConfig,
    /** How embeddings are made as large as noise: times a factor (17.2 in the paper), or to mean 0 and deviation 1 (Karlo). */
    scale: Schema.Union([
      Schema.Struct({ kind: Schema.Literal("factor"), factor: Positive }),
      Schema.Struct({ kind: Schema.Literal("statistics") }),
    ]),
  }),
  /** Of the autoregressive prior alone: principal components that are kept, and buckets of each and of z_image · z_text. */
  autoregressive: Schema.Struct({
    codes: Schema.Int.check(Schema.isGreaterThan(1)),
    buckets: Count,
    dotBuckets: Count,
  }),
  batch: Count,
  fit: FitConfig,
})
export type PriorStageConfig = typeof PriorStageConfig.Type
