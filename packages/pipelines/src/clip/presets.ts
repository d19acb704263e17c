/** Sizes of the recipe. */
import { adamW } from "@millrace/core"
import { clipPresets as published } from "@millrace/models"
import type { captionTokenizerStage } from "../captions/tokenizer.js"
import type { clipEvaluateStage } from "./evaluate.js"
import type { clipIndexStage } from "./indexStage.js"
import type { clipSearchStage } from "./search.js"
import type { clipTrainStage } from "./train.js"

type ConfigOf<Make extends (config: never) => unknown> = Parameters<Make>[0]

/** The config of every stage of the recipe. */
export interface ClipPipelineConfig {
  readonly tokenizer: ConfigOf<typeof captionTokenizerStage>
  readonly train: ConfigOf<typeof clipTrainStage>
  readonly evaluate: ConfigOf<typeof clipEvaluateStage>
  readonly index: ConfigOf<typeof clipIndexStage>
  readonly search: ConfigOf<typeof clipSearchStage>
}

const emojiTemplates = ["{}", "an emoji of {}", "a drawing of {}"] as const
const queries = ["red apple", "dog face", "sailboat", "smiling cat face", "birthday cake", "snowman"] as const

/** A few minutes on two cores, for images of 32 × 32 such as emoji. */
const small: ClipPipelineConfig = {
  tokenizer: { vocab: 1024 },
  train: {
    model: {
      joint: 128,
      image: { kind: "vit", size: 32, patch: 8, width: 128, layers: 4, heads: 4 },
      text: { context: 14, width: 128, layers: 2, heads: 4 },
    },
    batch: 256,
    augment: {
      shift: 0.08,
      scale: [0.8, 1.25],
      turn: 10,
      brightness: 0.15,
      contrast: 0.3,
      saturation: 0.4,
      hue: 20,
      grey: 0.1,
    },
    fit: {
      steps: 1000,
      schedule: { kind: "cosine", peak: 1e-3, warmup: 50, floor: 0.02 },
      optimizer: { ...adamW, beta2: 0.98, weightDecay: 0.1 },
      clip: 1,
      average: { decay: 0.99, start: "zero" },
    },
    watch: { every: 100, queries, columns: 8, images: 512, templates: ["{}"] },
  },
  evaluate: { templates: emojiTemplates, images: 4096, queries, columns: 8 },
  index: { sets: ["train", "heldOut", "shifted"] },
  search: { texts: queries, heldOut: [3, 40, 80, 120], k: 8 },
}

/** Every stage in seconds: for tests, and to try a change of the graph. Learns next to nothing. */
const tiny: ClipPipelineConfig = {
  ...small,
  tokenizer: { vocab: 300 },
  train: {
    ...small.train,
    model: {
      joint: 16,
      image: { kind: "vit", size: 32, patch: 8, width: 32, layers: 1, heads: 2 },
      text: { context: 12, width: 32, layers: 1, heads: 2 },
    },
    batch: 32,
    fit: { ...small.train.fit, steps: 20, schedule: { ...small.train.fit.schedule, warmup: 5 } },
    watch: { every: 10, queries, columns: 4, images: 64, templates: ["{}"] },
  },
  evaluate: { ...small.evaluate, images: 256, columns: 4 },
  index: { sets: ["heldOut", "shifted"] },
  search: { texts: ["red apple", "dog face"], heldOut: [0, 1], k: 4 },
}

/** Prompts of a class, as those that all of the paper's data sets share. */
const photos = [
  "a photo of a {}.",
  "a photo of many {}.",
  "a photo of the large {}.",
  "a photo of the small {}.",
] as const

/** 400 million pairs, 32 times, in batches of 32,768. */
const steps = Math.round((32 * 400e6) / 32_768)

const atPaperSize = (
  { joint, image, text: { vocab, ...text } }: (typeof published)[keyof typeof published],
  peak: number,
): ClipPipelineConfig => ({
  tokenizer: { vocab },
  train: {
    model: { joint, image, text },
    batch: 32_768,
    part: 64,
    // Any square of an image whose shorter side has been resized to 8/7 of the model's.
    augment: { scale: [8 / 7, 8 / 7], shift: 1 / 14 },
    fit: {
      steps,
      schedule: { kind: "cosine", peak, warmup: 2000, floor: 0 },
      optimizer:
        image.kind === "vit"
          ? { beta1: 0.9, beta2: 0.98, epsilon: 1e-6, weightDecay: 0.2 }
          : { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.2 },
      clip: 1,
    },
  },
  evaluate: { templates: photos, images: 50_000, queries: [], columns: 8 },
  index: { sets: ["heldOut"] },
  search: { texts: ["a photo of a dog."], heldOut: [0], k: 16 },
})

/**
 * The paper's, by the names of `clipPresets` of the models.
 *
 * Differs  gradients are clipped at a norm of 1, of which the paper says nothing; the size of crops is not stated either.
 * @source  Radford et al. 2021, tables 18 to 20
 */
export const clipPaper = {
  RN50: atPaperSize(published.RN50, 5e-4),
  RN101: atPaperSize(published.RN101, 5e-4),
  RN50x4: atPaperSize(published.RN50x4, 5e-4),
  RN50x16: atPaperSize(published.RN50x16, 4e-4),
  RN50x64: atPaperSize(published.RN50x64, 3.6e-4),
  "ViT-B/32": atPaperSize(published["ViT-B/32"], 5e-4),
  "ViT-B/16": atPaperSize(published["ViT-B/16"], 5e-4),
  "ViT-L/14": atPaperSize(published["ViT-L/14"], 4e-4),
} as const

export const clipPipelinePresets = { tiny, small, paper: clipPaper["ViT-B/32"] } as const
