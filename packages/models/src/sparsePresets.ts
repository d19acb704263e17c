/** The published size of the sparse transformer. */
import type { SparseConfig } from "./sparse.js"

/**
 * Sizes by name.
 * @source  Ramesh et al. 2021, section 2.2 and appendix B.1
 */
export const sparsePresets = {
  "dall-e-12b": {
    textVocab: 16_384,
    imageVocab: 8192,
    text: 256,
    rows: 32,
    columns: 32,
    // 62 heads of 64.
    width: 3968,
    layers: 64,
    heads: 62,
    kernel: 11,
  },
} as const satisfies Record<string, SparseConfig>
