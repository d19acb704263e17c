/** A trained CLIP as an artifact: its config, its parameters as safetensors, and the tokenizer that its texts are read with. */
import { artifactKind, canonicalJson, encodeSafetensors, type HostTensors } from "@millrace/core"
import { type ClipConfig, saveTokenizer, type Tokenizer } from "@millrace/models"

export interface ClipModel {
  readonly config: ClipConfig
  /** By the flat names of `clipParams`: `image.…`, `text.…`, `logScale`. */
  readonly params: HostTensors
  readonly tokenizer: Tokenizer
}

export const clipModelKind = artifactKind("clip", ({ config, params, tokenizer }: ClipModel) => ({
  "config.json": new TextEncoder().encode(canonicalJson(config)),
  "model.safetensors": encodeSafetensors(params),
  ...saveTokenizer(tokenizer),
}))
