/** The pipeline in seconds. */
import type { Dalle2Config } from "./config.js"
import { decoderSampling, priorSampling, small } from "./smallPreset.js"

/** Every stage in seconds, at 16 × 16: for tests, and to try a change of the graph. Learns next to nothing. */
export const tiny: Dalle2Config = {
  ...small,
  tokenizer: { vocab: 300 },
  clip: {
    ...small.clip,
    model: {
      joint: 16,
      image: { kind: "vit", size: 16, patch: 8, width: 32, layers: 1, heads: 2 },
      text: { context: 12, width: 32, layers: 1, heads: 2 },
    },
    batch: 24,
    fit: { ...small.clip.fit, steps: 40 },
  },
  embeddings: { train: 96, heldOut: 12 },
  prior: {
    ...small.prior,
    model: { ...small.prior.model, width: 32, layers: 1, heads: 2 },
    autoregressive: { codes: 6, buckets: 8, dotBuckets: 4 },
    batch: 32,
    fit: { ...small.prior.fit, steps: 60 },
  },
  evaluatePrior: { captions: 12, sampling: { ...priorSampling, steps: 8, batch: 12 } },
  decoder: {
    ...small.decoder,
    model: {
      ...small.decoder.model,
      unet: {
        ...small.decoder.model.unet,
        size: 8,
        width: 8,
        multipliers: [1, 2],
        attention: [4],
        headWidth: 8,
        groups: 4,
      },
      text: { context: 12, width: 16, layers: 1, heads: 2 },
    },
    batch: 16,
    fit: { ...small.decoder.fit, steps: 30 },
    watch: { every: 15, images: 4, steps: 4, guidance: 2 },
  },
  upsampler: {
    ...small.upsampler,
    from: 8,
    model: { ...small.upsampler.model, unet: { ...small.upsampler.model.unet, size: 16, width: 8 } },
    batch: 16,
    fit: { ...small.upsampler.fit, steps: 20 },
    watch: { every: 20, images: 4, steps: 2 },
  },
  retrieval: {
    images: 12,
    shown: 4,
    sampling: { decoder: { ...decoderSampling, steps: 4, batch: 6 }, upsampler: { steps: 2, batch: 6 } },
  },
  sample: {
    ...small.sample,
    captions: 6,
    prior: { ...priorSampling, steps: 8, batch: 6 },
    images: { decoder: { ...decoderSampling, steps: 4, batch: 6 }, upsampler: { steps: 2, batch: 6 } },
    scales: [0, 2],
    compared: 2,
    shown: 4,
  },
  variations: {
    images: 2,
    each: 2,
    eta: 1,
    sampling: { steps: 4, guidance: 2, batch: 4, upsampler: { steps: 2, batch: 4 } },
  },
  interpolations: {
    pairs: 1,
    steps: 3,
    sampling: { steps: 4, guidance: 1, batch: 4, upsampler: { steps: 2, batch: 4 } },
  },
  textDiffs: {
    edits: [
      { from: "red", to: "blue" },
      { from: "blue", to: "red" },
      { from: "green", to: "yellow" },
      { from: "yellow", to: "green" },
    ],
    steps: 3,
    most: 0.5,
    sampling: { steps: 4, guidance: 1, batch: 4, upsampler: { steps: 2, batch: 4 } },
  },
}
