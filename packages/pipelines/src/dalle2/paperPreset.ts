/** The pipeline as published. */
import { autoregressivePriorPresets, decoderPresets, priorPresets, upsamplerPresets } from "@millrace/models"
import type { Dalle2Config } from "./config.js"

const { embedding: joint, text: priorText, ...priorShape } = priorPresets.unclip
const { codes, buckets, dotBuckets } = autoregressivePriorPresets.unclip
const { unet, text } = decoderPresets.unclip
const { context: _width, output: _output, ...decoderUnet } = unet
const { vocab, ...encoder } = text.encoder
const { input: _in, output: _out, ...upsamplerUnet } = upsamplerPresets["unclip-256"].unet

/** Decoupled weight decay, β₁ 0.9 everywhere. */
const adam = (beta2: number, epsilon: number, weightDecay: number) => ({ beta1: 0.9, beta2, epsilon, weightDecay })
const constant = (peak: number) => ({ kind: "constant", peak, warmup: 0, floor: 1 }) as const
const average = { decay: 0.9999, start: "weights" } as const
const cosineSteps = { kind: "cosine", steps: 1000 } as const
const diffusion = { schedule: cosineSteps, parametrisation: "noise", variance: "learned-range" } as const

const priorSampling = { guidance: 4, candidates: 2, steps: 64, batch: 64 }
const upsamplerSampling = { steps: 27, batch: 16 }
const decoderSampling = { guidance: 3, steps: 250, eta: 1, batch: 16 }
const latents = { steps: 250, guidance: 1, batch: 16, upsampler: upsamplerSampling }

/**
 * As published: 64 × 64 pixels from 3.5 billion parameters, made four times as large by 700 million. It is described, and runs
 * on no laptop.
 *
 * Differs  The second upsampler, to 1024 × 1024, is left out: the pipeline has one. Scales of guidance, gradients' norms and
 *          CLIP's tokens are not stated: the prior's guidance is Karlo's, the vocabulary GPT-2's. CLIP's learning without
 *          sharpness-aware steps.
 * @source Ramesh et al. 2022, table 3 and appendix C
 */
export const paper: Dalle2Config = {
  tokenizer: { vocab },
  clip: {
    model: {
      joint,
      image: { kind: "vit", size: 256, patch: 16, width: 1280, layers: 32, heads: 16 },
      text: { context: 256, width: 1024, layers: 24, heads: 16 },
    },
    batch: 32_768,
    augment: {},
    fit: {
      steps: 390_000,
      schedule: { kind: "cosine", peak: 3e-4, warmup: 2000, floor: 0 },
      optimizer: adam(0.98, 1e-6, 0.2),
      clip: 1,
    },
  },
  embeddings: { train: 250_000_000, heldOut: 30_000 },
  prior: {
    kind: "diffusion",
    model: { ...priorShape, context: priorText.context },
    drop: 0.1,
    diffusion: { schedule: cosineSteps, scale: { kind: "factor", factor: 17.2 } },
    autoregressive: { codes, buckets, dotBuckets },
    batch: 4096,
    fit: { steps: 600_000, schedule: constant(1.1e-4), optimizer: adam(0.96, 1e-6, 6e-2), clip: 1, average },
  },
  evaluatePrior: { captions: 30_000, sampling: priorSampling },
  decoder: {
    model: { unet: decoderUnet, text: encoder, tokens: 4, dropped: "learned" },
    diffusion,
    loss: "hybrid",
    drops: { caption: 0.5, embedding: 0.1 },
    batch: 2048,
    fit: { steps: 800_000, schedule: constant(1.2e-4), optimizer: adam(0.999, 1e-8, 0), clip: 1, average },
    watch: { every: 10_000, images: 16, steps: 50, guidance: 3 },
  },
  upsampler: {
    from: 64,
    model: { unet: upsamplerUnet, resize: "bilinear" },
    diffusion,
    loss: "hybrid",
    corruption: { kind: "blur", taps: 3, sigma: 0.6 },
    crop: 0.25,
    batch: 1024,
    fit: { steps: 1_000_000, schedule: constant(1.2e-4), optimizer: adam(0.999, 1e-8, 0), clip: 1, average },
    watch: { every: 10_000, images: 8, steps: 27 },
  },
  retrieval: { images: 1000, shown: 8, sampling: { decoder: decoderSampling, upsampler: upsamplerSampling } },
  sample: {
    captions: 1000,
    told: true,
    prior: priorSampling,
    images: { decoder: decoderSampling, upsampler: upsamplerSampling },
    scales: [0, 1, 2, 3, 4],
    compared: 8,
    shown: 32,
  },
  variations: { images: 8, each: 8, eta: 1, sampling: latents },
  interpolations: { pairs: 8, steps: 8, sampling: latents },
  textDiffs: { edits: [{ from: "cat", to: "dog" }], steps: 8, most: 0.5, sampling: latents },
}
