/** A language model as an artifact: its config, and its parameters as safetensors. */
import { artifactKind, canonicalJson, encodeSafetensors, type HostTensors } from "@millrace/core"
import type { GptConfig } from "@millrace/models"

export interface LanguageModel {
  readonly config: GptConfig
  /** By the flat names of `gptParams`: `blocks.0.attention…` */
  readonly params: HostTensors
}

export const languageModelKind = artifactKind("language-model", ({ config, params }: LanguageModel) => ({
  "config.json": new TextEncoder().encode(canonicalJson(config)),
  "model.safetensors": encodeSafetensors(params),
}))
