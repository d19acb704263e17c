/** The published sizes of decoders. */
import type { DecoderConfig } from "./decoder.js"

/** What all of them have in common. */
const unet = {
  size: 64,
  multipliers: [1, 2, 3, 4],
  blocks: 3,
  attention: [32, 16, 8],
  headWidth: 64,
  output: 6,
} as const

/** GPT-2's tokens, in which GLIDE reads captions. Paddings are none of them. */
const vocab = 50257

/**
 * Sizes by name.
 * @source  Ramesh et al. 2022, table 3; openai/glide-text2im `model_creation.py`; Nichol et al. 2021, section 4.1;
 *          kakaobrain/karlo's decoder config
 */
export const decoderPresets = {
  // The vocabulary and the width of CLIP's embedding are not in table 3: those of GLIDE and of the prior's PCA.
  unclip: {
    unet: { ...unet, width: 512, context: 2048 },
    text: { kind: "encoder", encoder: { vocab, context: 256, width: 2048, layers: 24, heads: 32 } },
    image: { width: 1024 },
  },
  // Unpublished, but for widths and layers; heads and context as unCLIP and the filtered model have them.
  "glide-3.5b": {
    unet: { ...unet, width: 512, context: 2048 },
    text: { kind: "encoder", encoder: { vocab, context: 128, width: 2048, layers: 24, heads: 32 } },
  },
  "glide-filtered": {
    unet: { ...unet, width: 192, context: 512 },
    text: { kind: "encoder", encoder: { vocab, context: 128, width: 512, layers: 16, heads: 8 } },
  },
  karlo: { unet: { ...unet, width: 320, context: 1536 }, text: { kind: "clip" }, image: { width: 768 } },
} as const satisfies Record<string, DecoderConfig>
