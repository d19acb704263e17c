/** A sparse transformer over captions and image codes as an artifact: its config, and its parameters as safetensors. */
import { artifactKind, canonicalJson, encodeSafetensors, type HostTensors } from "@millrace/core"
import type { SparseConfig } from "@millrace/models"

export interface SparseTransformer {
  readonly config: SparseConfig
  /** By the flat names of `sparseParams`: `blocks.0.attention…` */
  readonly params: HostTensors
}

export const sparseTransformerKind = artifactKind("sparse-transformer", ({ config, params }: SparseTransformer) => ({
  "config.json": new TextEncoder().encode(canonicalJson(config)),
  "model.safetensors": encodeSafetensors(params),
}))
