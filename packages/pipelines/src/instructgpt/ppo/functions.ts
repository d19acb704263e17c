/** The tensor functions of an iteration: the update, and what it learns from. */
import { type Objective, objectiveOf, type Specs, spec } from "@millrace/core"
import type { GptConfig } from "@millrace/models"
import type { Training } from "../../trainer.js"
import { experienceOf, policyUpdate } from "../objectives.js"
import type { PpoConfig } from "./config.js"

/** One update on a minibatch of answers of `width` tokens, prompts included. */
export const updateTraining = (model: GptConfig, config: PpoConfig, width: number): Training => {
  const { episodes, minibatch, epochs, iterations, ptx, schedule, optimizer, clip, valueRate } = config
  const floats = spec("float32", [minibatch, width])
  return {
    objective: objectiveOf(policyUpdate(model, config)),
    inputs: {
      tokens: spec("int32", [minibatch, width]),
      real: floats,
      mask: floats,
      oldLogProb: floats,
      advantages: floats,
      returns: floats,
      oldValues: floats,
      text: spec("int32", [ptx.windows, model.context]),
    },
    config: { steps: iterations * epochs * Math.floor(episodes / minibatch), schedule, optimizer, clip },
    rates: { "value.": valueRate },
  }
}

export interface Judging {
  readonly objective: Objective
  readonly inputs: Specs
  /** Slots of state by what the names of their parameters begin with. */
  readonly slots: Readonly<Record<string, string>>
}

/** Advantages and returns of a whole rollout, by the value model and the frozen reference. */
export const experienceJudging = (model: GptConfig, config: PpoConfig, width: number): Judging => {
  const { episodes } = config
  const floats = spec("float32", [episodes, width])
  return {
    objective: objectiveOf(experienceOf(model, config)),
    inputs: {
      tokens: spec("int32", [episodes, width]),
      real: floats,
      mask: floats,
      logProb: floats,
      score: spec("float32", [episodes]),
      beta: spec("float32", []),
    },
    slots: { reference: "reference.", params: "value." },
  }
}
