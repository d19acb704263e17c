/** A discrete VAE as an artifact: its config, and its parameters as safetensors. */
import { artifactKind, flatten, type HostTensors, isParamSpec, namedFiles } from "@millrace/core"
import { DvaeConfig, dvaeDecoderParams, dvaeEncoderParams } from "@millrace/models"
import { Effect } from "effect"
import { modelFiles } from "./modelFiles.js"

export interface DiscreteVae {
  readonly config: DvaeConfig
  /** By the flat names of `dvaeEncoderParams` and `dvaeDecoderParams`: `encoder.groups.0…`, `decoder.…` */
  readonly params: HostTensors
}

const model = modelFiles({
  config: DvaeConfig,
  params: (config) => flatten({ encoder: dvaeEncoderParams(config), decoder: dvaeDecoderParams(config) }, isParamSpec),
  parts: ({ groups, blocks }) => groups * blocks,
})

export const discreteVaeKind = artifactKind(
  "discrete-vae",
  ({ config, params }: DiscreteVae) => model.write(config, params),
  (files) => Effect.flatMap(namedFiles(files, "discrete-vae", model.names), model.read),
)
