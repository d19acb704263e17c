/** The pipeline in minutes. */
import { adamW } from "@millrace/core"
import type { Dalle2Config } from "./config.js"

/** Cosine to 5 %. */
const cosine = (peak: number, warmup: number) => ({ kind: "cosine", peak, warmup, floor: 0.05 }) as const
const adam = { ...adamW, beta2: 0.98, weightDecay: 0 }
const average = (decay: number) => ({ decay, start: "zero" }) as const
const steps1000 = { kind: "cosine", steps: 1000 } as const

/** The image itself is predicted: of a network that is trained for minutes its mean is free of noise, where a predicted noise is not. */
const diffusion = { schedule: steps1000, parametrisation: "start", variance: "fixed-small" } as const

export const decoderSampling = { guidance: 2, steps: 16, eta: 0, batch: 32 }
const upsamplerSampling = { steps: 4, batch: 32 }
export const priorSampling = { guidance: 1, candidates: 2, steps: 32, batch: 64 }
const latents = { steps: 30, guidance: 1, batch: 8, upsampler: upsamplerSampling }

/** Minutes on two cores, for images of 32 × 32 pixels: decoded at 16 × 16, then made twice as large. */
export const small: Dalle2Config = {
  tokenizer: { vocab: 320 },
  clip: {
    model: {
      joint: 64,
      image: { kind: "vit", size: 32, patch: 8, width: 96, layers: 3, heads: 3 },
      text: { context: 12, width: 64, layers: 2, heads: 2 },
    },
    batch: 128,
    augment: { shift: 0.05 },
    fit: { steps: 320, schedule: cosine(2e-3, 40), optimizer: { ...adam, weightDecay: 0.1 }, clip: 1 },
  },
  embeddings: { train: 4000, heldOut: 560 },
  prior: {
    kind: "diffusion",
    model: { context: 12, width: 128, layers: 2, heads: 4, dropped: "learned" },
    drop: 0.1,
    diffusion: { schedule: steps1000, scale: { kind: "statistics" } },
    autoregressive: { codes: 24, buckets: 64, dotBuckets: 16 },
    batch: 128,
    fit: { steps: 500, schedule: cosine(2e-3, 40), optimizer: adam, clip: 1, average: average(0.99) },
  },
  evaluatePrior: { captions: 512, sampling: priorSampling },
  decoder: {
    model: {
      unet: {
        size: 16,
        width: 32,
        multipliers: [1, 2, 4],
        blocks: 1,
        attention: [8],
        headWidth: 32,
        resample: "convolution",
        groups: 8,
      },
      text: { context: 12, width: 64, layers: 1, heads: 2 },
      tokens: 4,
      dropped: "learned",
    },
    diffusion,
    loss: "simple",
    drops: { caption: 0.5, embedding: 0.1 },
    batch: 32,
    fit: { steps: 2000, schedule: cosine(3e-3, 50), optimizer: adam, clip: 1, average: average(0.99) },
    watch: { every: 500, images: 16, steps: 10, guidance: 2 },
  },
  upsampler: {
    from: 16,
    model: {
      unet: {
        size: 32,
        width: 16,
        multipliers: [1, 2],
        blocks: 1,
        attention: [],
        middleAttention: false,
        headWidth: 16,
        resample: "convolution",
        groups: 4,
      },
      resize: "bilinear",
    },
    diffusion,
    loss: "simple",
    corruption: { kind: "blur", taps: 3, sigma: 0.6 },
    crop: 0.5,
    batch: 32,
    fit: { steps: 500, schedule: cosine(4e-3, 30), optimizer: adam, clip: 1, average: average(0.99) },
    watch: { every: 250, images: 8, steps: 4 },
  },
  retrieval: { images: 256, shown: 8, sampling: { decoder: decoderSampling, upsampler: upsamplerSampling } },
  sample: {
    captions: 24,
    told: true,
    prior: priorSampling,
    images: { decoder: decoderSampling, upsampler: upsamplerSampling },
    scales: [0, 1, 2, 3, 5],
    compared: 6,
    shown: 24,
  },
  variations: { images: 4, each: 6, eta: 1, sampling: { ...latents, guidance: 2 } },
  interpolations: { pairs: 4, steps: 7, sampling: latents },
  textDiffs: {
    edits: [
      { from: "red", to: "blue" },
      { from: "yellow", to: "purple" },
      { from: "heart", to: "star" },
      { from: "apple", to: "house" },
    ],
    steps: 7,
    most: 0.5,
    sampling: latents,
  },
}
