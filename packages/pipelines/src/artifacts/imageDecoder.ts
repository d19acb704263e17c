/** The networks of unCLIP that make images, as artifacts. */
import { artifactKind, flatten, type HostTensors, isParamSpec, namedFiles } from "@millrace/core"
import {
  DecoderConfig,
  DiffusionConfig,
  decoderParams,
  type Tokenizer,
  UpsamplerConfig,
  upsamplerParams,
} from "@millrace/models"
import { Effect, Schema } from "effect"
import { Count } from "../ranges.js"
import { modelFiles } from "./modelFiles.js"
import { tokenizerFiles } from "./tokenizerFiles.js"

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

const unetParts = ({ multipliers, blocks }: DecoderConfig["unet"]): number => multipliers.length * blocks

const decoder = modelFiles({
  config: Schema.Struct({ model: DecoderConfig, diffusion: DiffusionConfig }),
  params: ({ model }) => flatten(decoderParams(model), isParamSpec),
  parts: ({ model: { unet, text } }) => unetParts(unet) + (text.kind === "encoder" ? text.encoder.layers : 0),
})

export const imageDecoderKind = artifactKind(
  "image-decoder",
  ({ config, diffusion, params, tokenizer }: ImageDecoder) => ({
    ...decoder.write({ model: config, diffusion }, params),
    ...tokenizerFiles.write(tokenizer),
  }),
  (files) =>
    Effect.gen(function* () {
      const found = yield* namedFiles(files, "image-decoder", [...decoder.names, ...tokenizerFiles.names])
      const { config, params } = yield* decoder.read(found)
      const { text } = config.model
      const vocab = text.kind === "encoder" ? text.encoder.vocab : undefined
      const tokenizer = yield* tokenizerFiles.read(found, "image-decoder", vocab)
      return { config: config.model, diffusion: config.diffusion, params, tokenizer }
    }),
)

const upsampler = modelFiles({
  config: Schema.Struct({ model: UpsamplerConfig, diffusion: DiffusionConfig, from: Count, to: Count }),
  params: ({ model }) => flatten(upsamplerParams(model), isParamSpec),
  parts: ({ model }) => unetParts(model.unet),
})

export const imageUpsamplerKind = artifactKind(
  "image-upsampler",
  ({ config, diffusion, from, to, params }: ImageUpsampler) =>
    upsampler.write({ model: config, diffusion, from, to }, params),
  (files) =>
    Effect.gen(function* () {
      const found = yield* namedFiles(files, "image-upsampler", upsampler.names)
      const { config, params } = yield* upsampler.read(found)
      const { model, ...rest } = config
      return { config: model, ...rest, params }
    }),
)
