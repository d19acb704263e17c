/** The published sizes of GPT. */
import type { GptConfig } from "./gpt.js"

const gpt2 = { vocab: 50257, context: 1024 } as const
const gpt3 = { vocab: 50257, context: 2048 } as const

/**
 * Sizes by name.
 * @source  Radford et al. 2019, table 2; Brown et al. 2020, table 2.1; karpathy/minGPT `model.py` (gpt-mini and below).
 */
export const gptPresets = {
  "gpt2-124m": { ...gpt2, layers: 12, width: 768, heads: 12 },
  "gpt2-355m": { ...gpt2, layers: 24, width: 1024, heads: 16 },
  "gpt2-774m": { ...gpt2, layers: 36, width: 1280, heads: 20 },
  "gpt2-1558m": { ...gpt2, layers: 48, width: 1600, heads: 25 },
  "gpt3-small": { ...gpt3, layers: 12, width: 768, heads: 12 },
  "gpt3-medium": { ...gpt3, layers: 24, width: 1024, heads: 16 },
  "gpt3-large": { ...gpt3, layers: 24, width: 1536, heads: 16 },
  // Printed as 24 heads of 128, which is 3072 and not the printed width of 2048; 16 heads of 128 are.
  "gpt3-xl": { ...gpt3, layers: 24, width: 2048, heads: 16 },
  "gpt3-2.7b": { ...gpt3, layers: 32, width: 2560, heads: 32 },
  "gpt3-6.7b": { ...gpt3, layers: 32, width: 4096, heads: 32 },
  // Printed as width 5140, which 40 heads of 128 do not make; 5120 they do.
  "gpt3-13b": { ...gpt3, layers: 40, width: 5120, heads: 40 },
  "gpt3-175b": { ...gpt3, layers: 96, width: 12288, heads: 96 },
  "gpt-mini": { ...gpt2, layers: 6, width: 192, heads: 6 },
  "gpt-micro": { ...gpt2, layers: 4, width: 128, heads: 4 },
  "gpt-nano": { ...gpt2, layers: 3, width: 48, heads: 3 },
} as const satisfies Record<string, GptConfig>
