/** The published size of the dVAE, and how it was trained. */

import type { CosineRamp } from "./cosineRamp.js"
import type { DvaeConfig } from "./dvae.js"

/**
 * Sizes by name.
 * @source  Ramesh et al. 2021, appendix A.1; openai/DALL-E `encoder.py`, `decoder.py`
 */
export const dvaePresets = {
  /** 256 × 256 pixels as 32 × 32 codes. */
  "dall-e": { vocab: 8192, rows: 32, columns: 32, groups: 4, blocks: 2, width: 256, first: 128 },
} as const satisfies Record<string, DvaeConfig>

/**
 * What changes over the 3,000,000 updates of training. Weigh the KL term and divide by the temperature of an update with
 * `cosineRamp(dvaeSchedules.beta, update)`, given to the step as inputs.
 * @source  Ramesh et al. 2021, appendix A.2
 */
export const dvaeSchedules = {
  /** τ of the relaxation. */
  temperature: { from: 1, to: 1 / 16, updates: 150_000 },
  /** Weight of the KL term. */
  beta: { from: 0, to: 6.6, updates: 5000 },
  learningRate: { from: 1e-4, to: 1.25e-6, updates: 1_200_000 },
} as const satisfies Record<string, CosineRamp>
