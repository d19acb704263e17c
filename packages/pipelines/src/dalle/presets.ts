/** Sizes of the recipe. */
import { adamW } from "@millrace/core"
import { dvaePresets, dvaeSchedules, sparsePresets } from "@millrace/models"
import type { captionTokenizerStage } from "../captions/tokenizer.js"
import type { clipTrainStage } from "../clip/train.js"
import type { codesStage } from "./codes.js"
import type { dvaeStage } from "./dvae.js"
import type { evaluateDalleStage } from "./evaluate.js"
import type { judgeStage } from "./judge.js"
import type { priorStage } from "./prior.js"
import type { rerankStage } from "./rerank.js"
import type { sampleStage } from "./sample.js"

type ConfigOf<Make extends (config: never) => unknown> = Parameters<Make>[0]

/** The config of every stage of the recipe. */
export interface DalleConfig {
  readonly tokenizer: ConfigOf<typeof captionTokenizerStage>
  readonly dvae: ConfigOf<typeof dvaeStage>
  readonly codes: ConfigOf<typeof codesStage>
  readonly prior: ConfigOf<typeof priorStage>
  readonly sample: ConfigOf<typeof sampleStage>
  readonly clip: ConfigOf<typeof clipTrainStage>
  readonly rerank: ConfigOf<typeof rerankStage>
  readonly judge: ConfigOf<typeof judgeStage>
  readonly evaluate: ConfigOf<typeof evaluateDalleStage>
}

const cosine = (peak: number, warmup: number) => ({ kind: "cosine", peak, warmup, floor: 0.05 }) as const
const plain = { ...adamW, weightDecay: 0 }

/** Relations that say the same with the two things exchanged. */
const inverses = { right: "left", below: "above" }

/** Minutes on two cores, for images of 32 · 32 pixels: 8 · 8 codes. */
const small: DalleConfig = {
  tokenizer: { vocab: 340 },
  dvae: {
    model: { vocab: 256, groups: 3, blocks: 1, width: 32, first: 64 },
    batch: 8,
    temperature: { from: 1, to: 1 / 16, updates: 2300 },
    beta: { from: 3.3, to: 1.65, updates: 1800 },
    leastLogWidth: -0.5,
    fit: {
      steps: 2800,
      schedule: cosine(3e-3, 50),
      optimizer: plain,
      clip: 1,
      average: { decay: 0.99, start: "weights" },
    },
    watch: { every: 700, images: 12 },
    evaluate: 512,
  },
  codes: { batch: 64 },
  prior: {
    model: { text: 16, width: 192, layers: 4, heads: 4, kernel: 5 },
    batch: 16,
    dropout: 0.1,
    pads: "counted",
    fit: {
      steps: 2200,
      schedule: cosine(2e-3, 100),
      optimizer: { ...adamW, beta2: 0.96, weightDecay: 0.045 },
      clip: 1,
      average: { decay: 0.99, start: "weights" },
    },
    watch: { every: 550, captions: 16 },
    evaluate: 512,
  },
  sample: {
    train: 24,
    heldOut: 24,
    having: { relation: 24 },
    captions: [],
    candidates: 16,
    fewer: true,
    temperature: 1,
    batch: 64,
  },
  clip: {
    model: {
      joint: 64,
      image: { kind: "vit", size: 32, patch: 4, width: 96, layers: 3, heads: 3 },
      text: { context: 20, width: 96, layers: 2, heads: 3 },
    },
    batch: 96,
    augment: { shift: 0.08 },
    fit: { steps: 500, schedule: cosine(1.5e-3, 50), optimizer: { ...adamW, beta2: 0.98, weightDecay: 0.1 }, clip: 1 },
  },
  rerank: { shown: 6 },
  judge: {
    model: { widths: [32, 64, 96, 128], hidden: 192 },
    inverses,
    batch: 64,
    fit: { steps: 1000, schedule: cosine(2e-3, 50), optimizer: plain, clip: 1 },
    softest: 2,
    gather: 2048,
    evaluate: 512,
  },
  evaluate: { shown: 24, reconstructions: 256 },
}

/** Every stage in seconds: for tests, and to try a change of the graph. Learns next to nothing. */
const tiny: DalleConfig = {
  ...small,
  tokenizer: { vocab: 280 },
  dvae: {
    ...small.dvae,
    model: { vocab: 32, groups: 2, blocks: 1, width: 16, first: 16 },
    temperature: { from: 1, to: 1 / 8, updates: 20 },
    beta: { from: 1.65, to: 1.65, updates: 1 },
    fit: { ...small.dvae.fit, steps: 30 },
    watch: { every: 30, images: 4 },
    evaluate: 16,
  },
  codes: { batch: 16 },
  prior: {
    ...small.prior,
    model: { text: 12, width: 32, layers: 2, heads: 2, kernel: 3 },
    batch: 8,
    fit: { ...small.prior.fit, steps: 20 },
    watch: { every: 20, captions: 4 },
    evaluate: 16,
  },
  sample: { ...small.sample, train: 4, heldOut: 4, having: { relation: 4 }, candidates: 4, batch: 16 },
  clip: {
    model: {
      joint: 16,
      image: { kind: "vit", size: 16, patch: 4, width: 32, layers: 1, heads: 2 },
      text: { context: 16, width: 32, layers: 1, heads: 2 },
    },
    batch: 16,
    augment: {},
    fit: { ...small.clip.fit, steps: 10 },
  },
  judge: {
    ...small.judge,
    model: { widths: [8, 16], hidden: 32 },
    batch: 16,
    fit: { ...small.judge.fit, steps: 30 },
    gather: 1024,
    evaluate: 16,
  },
  evaluate: { shown: 4, reconstructions: 16 },
}

const { rows: _, columns: __, ...dvaeShape } = dvaePresets["dall-e"]
const { text, width, layers, heads, kernel } = sparsePresets["dall-e-12b"]

/** As published: 12 billion parameters over 8,192 codes, CLIP's ViT-L/14. To be described; it runs on no laptop. */
const paper: DalleConfig = {
  tokenizer: { vocab: sparsePresets["dall-e-12b"].textVocab },
  dvae: {
    model: dvaeShape,
    batch: 512,
    temperature: dvaeSchedules.temperature,
    beta: dvaeSchedules.beta,
    fit: {
      steps: 3_000_000,
      schedule: { kind: "cosine", peak: dvaeSchedules.learningRate.from, warmup: 0, floor: 0.0125 },
      optimizer: { ...adamW, beta2: 0.999, weightDecay: 1e-4 },
      clip: 1,
      average: { decay: 0.999, start: "weights" },
    },
    watch: { every: 10_000, images: 16 },
    evaluate: 4096,
  },
  codes: { batch: 512 },
  prior: {
    model: { text, width, layers, heads, kernel },
    batch: 1024,
    dropout: 0.1,
    pads: "counted",
    fit: {
      steps: 430_000,
      schedule: { kind: "cosine", peak: 4.5e-4, warmup: 5000, floor: 1 / 32 },
      optimizer: { ...adamW, beta2: 0.96, weightDecay: 0.045 },
      clip: 4,
      average: { decay: 0.99, start: "weights", every: 25 },
    },
    watch: { every: 10_000, captions: 16 },
    evaluate: 4096,
  },
  sample: {
    train: 0,
    heldOut: 512,
    having: {},
    captions: [],
    candidates: 512,
    fewer: true,
    temperature: 1,
    batch: 512,
  },
  clip: {
    model: {
      joint: 768,
      image: { kind: "vit", size: 256, patch: 16, width: 1024, layers: 24, heads: 16 },
      text: { context: 76, width: 768, layers: 12, heads: 12 },
    },
    batch: 32_768,
    augment: {},
    fit: {
      steps: 390_000,
      schedule: cosine(4e-4, 2000),
      optimizer: { ...adamW, beta2: 0.98, weightDecay: 0.2 },
      clip: 1,
    },
  },
  rerank: { shown: 16 },
  judge: { ...small.judge, gather: 100_000, evaluate: 4096 },
  evaluate: { shown: 64, reconstructions: 4096 },
}

export const dallePresets = { tiny, small, paper } as const
