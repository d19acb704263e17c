/** A discrete VAE as an artifact: its config, and its parameters as safetensors. */
import { artifactKind, canonicalJson, encodeSafetensors, type HostTensors } from "@millrace/core"
import type { DvaeConfig } from "@millrace/models"

export interface DiscreteVae {
  readonly config: DvaeConfig
  /** By the flat names of `dvaeEncoderParams` and `dvaeDecoderParams`: `encoder.groups.0…`, `decoder.…` */
  readonly params: HostTensors
}

export const discreteVaeKind = artifactKind("discrete-vae", ({ config, params }: DiscreteVae) => ({
  "config.json": new TextEncoder().encode(canonicalJson(config)),
  "model.safetensors": encodeSafetensors(params),
}))
