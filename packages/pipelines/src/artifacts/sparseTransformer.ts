/** A sparse transformer over captions and image codes as an artifact: its config, and its parameters as safetensors. */
import { artifactKind, flatten, type HostTensors, isParamSpec, namedFiles } from "@millrace/core"
import { SparseConfig, sparseParams } from "@millrace/models"
import { Effect } from "effect"
import { modelFiles } from "./modelFiles.js"

export interface SparseTransformer {
  readonly config: SparseConfig
  /** By the flat names of `sparseParams`: `blocks.0.attention…` */
  readonly params: HostTensors
}

const model = modelFiles({
  config: SparseConfig,
  params: (config) => flatten(sparseParams(config), isParamSpec),
  parts: ({ layers }) => layers,
})

export const sparseTransformerKind = artifactKind(
  "sparse-transformer",
  ({ config, params }: SparseTransformer) => model.write(config, params),
  (files) => Effect.flatMap(namedFiles(files, "sparse-transformer", model.names), model.read),
)
