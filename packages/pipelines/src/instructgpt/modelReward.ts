/** A reward model as a reward, and its files. */
import {
  Engine,
  flatten,
  float32,
  forward,
  type HostTensors,
  int32,
  isParamSpec,
  objectiveOf,
  spec,
} from "@millrace/core"
import { GptConfig, rewardParams } from "@millrace/models"
import { Effect } from "effect"
import { modelFiles } from "../artifacts/modelFiles.js"
import type { Reward } from "../artifacts/reward.js"
import { scoring } from "./objectives.js"

export const rewardModelFiles = modelFiles({
  config: GptConfig,
  params: (config) => flatten({ reward: rewardParams(config) }, isParamSpec),
  parts: ({ layers }) => layers,
})

/** A reward model as a reward: its trunk and head, ready to score on any engine. */
export const modelReward = (config: GptConfig, params: HostTensors): Reward => ({
  source: "reward model",
  model: { config, params },
  files: rewardModelFiles.write(config, params),
  open: (batch, width) =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const state = yield* engine.allocate(params)
      const score = yield* engine.compile(
        forward(objectiveOf(scoring(config)), {
          tokens: spec("int32", [batch, width]),
          mask: spec("float32", [batch, width]),
        }),
      )
      return ({ tokens, mask }) =>
        Effect.map(
          score.run({
            state: { params: state },
            inputs: { tokens: int32([batch, width], tokens), mask: float32([batch, width], mask) },
          }),
          ({ score }) => Float32Array.from(score!.data),
        )
    }),
})
