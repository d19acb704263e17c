/** Language modelling with a GPT: the model and the loss of the framework itself. */
import { int32, type Key, objectiveOf, random } from "@millrace/core"
import type { GptConfig } from "@millrace/models"
import { languageModelling } from "@millrace/pipelines"
import { type Network, specsOfBatch } from "./network.js"

export interface GptStep extends GptConfig {
  readonly batch: number
  /** Tokens of a text. */
  readonly length: number
}

export const gptNetwork = ({ batch, length, ...model }: GptStep, key: Key): Network => {
  const tokens = int32([batch, length], random.integers(key, [batch * length], 0, model.vocab).data)
  return { objective: objectiveOf(languageModelling(model)), inputs: specsOfBatch({ tokens }), batch: { tokens } }
}
