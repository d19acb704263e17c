/** The networks of unCLIP that make images, as artifacts. */
import { artifactKind, canonicalJson, encodeSafetensors, type HostTensors } from "@millrace/core"
import type { DecoderConfig, DiffusionConfig, Tokenizer, UpsamplerConfig } from "@millrace/models"
import { saveTokenizer } from "@millrace/models"

/** From an embedding, and a caption, to a small image. */
export interface ImageDecoder {
  readonly config: DecoderConfig
  /** What it was trained for. */
  readonly diffusion: DiffusionConfig
  /** By the flat names of `decoderParams`. */
  readonly params: HostTensors
  /** What its captions are read with. */
  readonly tokenizer: Tokenizer
}

/** From a small image to a large one. */
export interface ImageUpsampler {
  readonly config: UpsamplerConfig
  readonly diffusion: DiffusionConfig
  /** Rows and columns of the small image and of the large one. */
  readonly from: number
  readonly to: number
  /** By the flat names of `upsamplerParams`. */
  readonly params: HostTensors
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(canonicalJson(value))

export const imageDecoderKind = artifactKind(
  "image-decoder",
  ({ config, diffusion, params, tokenizer }: ImageDecoder) => ({
    "config.json": json({ model: config, diffusion }),
    "model.safetensors": encodeSafetensors(params),
    ...saveTokenizer(tokenizer),
  }),
)

export const imageUpsamplerKind = artifactKind(
  "image-upsampler",
  ({ config, diffusion, from, to, params }: ImageUpsampler) => ({
    "config.json": json({ model: config, diffusion, from, to }),
    "model.safetensors": encodeSafetensors(params),
  }),
)
