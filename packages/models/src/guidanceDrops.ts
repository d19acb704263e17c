/** What is left out in training, so that a decoder can be guided without a classifier. */
import { type HostTensor, type Key, random, split } from "@millrace/core"

/** The shares of captions and image embeddings that are left out, each by itself. */
export interface DropRates {
  readonly caption: number
  readonly embedding: number
}

/**
 * Rates by name.
 * @source  Ramesh et al. 2022, section 2.1; Nichol et al. 2021, section 4.2, of a model that was trained without drops
 */
export const dropRates = {
  unclip: { caption: 0.5, embedding: 0.1 },
  "glide-fine-tuned": { caption: 0.2, embedding: 0 },
} as const satisfies Record<string, DropRates>

/**
 * Masks for `keepCaption` and `keepEmbedding`: 1 is kept, 0 left out. The two are independent, and so are the images.
 * @returns          each float32  b
 * @throws BadConfig  a rate is not in [0, 1]
 */
export const drawKeeps = (
  key: Key,
  b: number,
  rates: DropRates,
): { readonly caption: HostTensor; readonly embedding: HostTensor } => {
  const keep = (name: keyof DropRates): HostTensor => ({
    dtype: "float32",
    shape: [b],
    data: Float32Array.from(random.bernoulli(split(key, name), [b], rates[name]).data, (dropped) => 1 - dropped),
  })
  return { caption: keep("caption"), embedding: keep("embedding") }
}
