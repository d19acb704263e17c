/** The published sizes of upsamplers. */
import type { UpsamplerConfig } from "./upsampler.js"

/**
 * Sizes by name. "No attention" means none in the middle either: only so are there 700 and 300 million parameters.
 * @source  Ramesh et al. 2022, table 3. Learned variance is ADM's, of which these are; the paper does not say
 */
export const upsamplerPresets = {
  "unclip-256": {
    unet: {
      size: 256,
      width: 320,
      multipliers: [1, 2, 3, 4],
      blocks: 3,
      attention: [],
      middleAttention: false,
      headWidth: 64,
      input: 6,
      output: 6,
    },
  },
  "unclip-1024": {
    unet: {
      size: 1024,
      width: 192,
      multipliers: [1, 1, 2, 2, 4, 4],
      blocks: 2,
      attention: [],
      middleAttention: false,
      headWidth: 64,
      input: 6,
      output: 6,
    },
  },
} as const satisfies Record<string, UpsamplerConfig>

/**
 * How the small images of each are corrupted in training: by a blur, or by everything that `degrade` does.
 * @source  Ramesh et al. 2022, section 2.1; the blur's size and width are appendix C's
 */
export const upsamplerCorruptions = {
  "unclip-256": { kind: "blur", taps: 3, sigma: 0.6 },
  "unclip-1024": { kind: "degrade" },
} as const satisfies Record<keyof typeof upsamplerPresets, object>
