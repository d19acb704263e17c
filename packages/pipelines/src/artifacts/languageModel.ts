/** A language model as an artifact: its config, and its parameters as safetensors. */
import { artifactKind, flatten, type HostTensors, isParamSpec, namedFiles } from "@millrace/core"
import { GptConfig, gptParams } from "@millrace/models"
import { Effect } from "effect"
import { modelFiles } from "./modelFiles.js"

export interface LanguageModel {
  readonly config: GptConfig
  /** By the flat names of `gptParams`: `blocks.0.attention…` */
  readonly params: HostTensors
}

const model = modelFiles({
  config: GptConfig,
  params: (config) => flatten(gptParams(config), isParamSpec),
  parts: ({ layers }) => layers,
})

export const languageModelKind = artifactKind(
  "language-model",
  ({ config, params }: LanguageModel) => model.write(config, params),
  (files) => Effect.flatMap(namedFiles(files, "language-model", model.names), model.read),
)
