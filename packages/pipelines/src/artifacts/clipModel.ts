/** A trained CLIP as an artifact: its config, its parameters as safetensors, and the tokenizer that its texts are read with. */
import { artifactKind, flatten, type HostTensors, isParamSpec, namedFiles } from "@millrace/core"
import { ClipConfig, clipParams, type Tokenizer } from "@millrace/models"
import { Effect } from "effect"
import { modelFiles } from "./modelFiles.js"
import { tokenizerFiles } from "./tokenizerFiles.js"

export interface ClipModel {
  readonly config: ClipConfig
  /** By the flat names of `clipParams`: `image.…`, `text.…`, `logScale`. */
  readonly params: HostTensors
  readonly tokenizer: Tokenizer
}

const model = modelFiles({
  config: ClipConfig,
  params: (config) => flatten(clipParams(config), isParamSpec),
  parts: ({ image, text }) =>
    text.layers + (image.kind === "vit" ? image.layers : image.stages.reduce((sum, blocks) => sum + blocks, 0)),
})

export const clipModelKind = artifactKind(
  "clip",
  ({ config, params, tokenizer }: ClipModel) => ({
    ...model.write(config, params),
    ...tokenizerFiles.write(tokenizer),
  }),
  (files) =>
    Effect.gen(function* () {
      const found = yield* namedFiles(files, "clip", [...model.names, ...tokenizerFiles.names])
      const { config, params } = yield* model.read(found)
      return { config, params, tokenizer: yield* tokenizerFiles.read(found, "clip", config.text.vocab) }
    }),
)
