/** The published sizes of the diffusion prior. */
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
