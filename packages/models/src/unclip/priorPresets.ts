/** The published sizes of the diffusion prior. */
import type { AutoregressivePriorConfig } from "./autoregressivePrior.js"
import type { PriorConfig } from "./prior.js"

/**
 * Sizes by name.
 * @source  Ramesh et al. 2022, table 3, whose "1B" is 1.209 × 10⁹ in blocks alone; kakaobrain/karlo, 1,022,028,544.
 */
export const priorPresets = {
  // The vocabulary is not stated: GPT-2's, as in GLIDE. Embeddings are those of the paper's ViT-H/16.
  unclip: {
    embedding: 1024,
    text: { context: 256, vocab: 50257 },
    width: 2048,
    layers: 24,
    heads: 32,
    dropped: "learned",
  },
  karlo: {
    embedding: 768,
    text: { context: 77, encoded: 768 },
    width: 2048,
    layers: 20,
    heads: 32,
    dropped: "masked",
  },
} as const satisfies Record<string, PriorConfig>

/**
 * The autoregressive prior's published size.
 * @source  Ramesh et al. 2022, table 3: the latent decoder, without the text encoder of width 2048 before it.
 */
export const autoregressivePriorPresets = {
  unclip: {
    embedding: 1024,
    text: { context: 256, encoded: 2048 },
    codes: 319,
    buckets: 1024,
    dotBuckets: 1024,
    width: 1664,
    layers: 24,
    heads: 26,
    dropped: "learned",
  },
} as const satisfies Record<string, AutoregressivePriorConfig>
