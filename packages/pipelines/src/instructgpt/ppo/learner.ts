/** The second half of an iteration: rewards a token, advantages, and the update of policy and value model. */
import { Engine, float32, forward, type HostTensors, int32, sizeOf } from "@millrace/core"
import { adaptiveKl, fixedKl, fromScalar, fromTrunk, valueParams } from "@millrace/models"
import { Effect } from "effect"
import type { LanguageModel } from "../../artifacts/languageModel.js"
import type { Passages } from "../../artifacts/passages.js"
import type { Reward } from "../../artifacts/reward.js"
import { keepLastGood } from "../../fit.js"
import { renamed } from "../../parameters.js"
import { makeTrainer, type TrainerState } from "../../trainer.js"
import type { PpoConfig } from "./config.js"
import { experienceJudging, updateTraining } from "./functions.js"
import type { ScoredAnswers } from "./rollout.js"

/** Means over the answers of a rollout. */
export type Report = Readonly<Record<"reward" | "gold" | "kl" | "beta" | "length", number>>

/** A rollout with everything that an update needs. All float32 b t. */
export interface Experience extends ScoredAnswers {
  readonly width: number
  readonly advantages: Float32Array
  readonly returns: Float32Array
  /** Of the value model before the update. */
  readonly values: Float32Array
  readonly report: Report
}

const mean = (values: Float32Array): number => values.reduce((sum, v) => sum + v, 0) / values.length

/** Tokens of a prompt with its answer. */
export const rowWidth = ({ promptLength, continuationLength }: Passages): number => promptLength + continuationLength

/** Policy, value model and frozen reference in the engine, and what an iteration does with them. */
export const makeLearner = (given: {
  readonly config: PpoConfig
  readonly policy: LanguageModel
  readonly reward: Reward
  readonly passages: Passages
  /** Goes on from here. */
  readonly before?: { readonly state: TrainerState; readonly beta: number }
}) =>
  Effect.gen(function* () {
    const { config, policy, reward, passages, before } = given
    const engine = yield* Engine
    const { episodes, kl } = config
    const width = rowWidth(passages)
    const trainer = yield* makeTrainer({
      ...updateTraining(policy.config, config, width),
      initial: { ...renamed(policy.params, "", "policy."), ...valueStart(policy, reward) },
      ...(before && { from: before.state }),
    })

    const reference = yield* engine.allocate(renamed(policy.params, "", "reference."))
    const { objective, inputs, slots } = experienceJudging(policy.config, config, width)
    const judge = yield* engine.compile(forward(objective, inputs, slots))

    const control = kl.controller === "adaptive" ? adaptiveKl({ target: kl.target, horizon: kl.horizon }) : fixedKl
    let beta = before?.beta ?? kl.beta

    const experience = (rollout: ScoredAnswers) =>
      Effect.gen(function* () {
        const { tokens, mask, answerMask, logProbs, scores } = rollout
        const out = yield* judge.run({
          state: { reference, params: trainer.params },
          inputs: {
            tokens: int32([episodes, width], tokens),
            real: float32([episodes, width], mask),
            mask: float32([episodes, width], answerMask),
            logProb: float32([episodes, width], logProbs),
            score: float32([episodes], scores),
            beta: float32([], [beta]),
          },
        })
        const divergence = mean(out.kl!.data as Float32Array)
        const report = {
          reward: mean(scores),
          gold: rollout.gold,
          kl: divergence,
          beta,
          length: answerMask.reduce((n, m) => n + m, 0) / episodes,
        }
        beta = control(beta, divergence, episodes)
        return {
          ...rollout,
          width,
          advantages: out.advantages!.data as Float32Array,
          returns: out.returns!.data as Float32Array,
          values: out.values!.data as Float32Array,
          report,
        } satisfies Experience
      })

    const update = (batch: HostTensors) => keepLastGood(trainer, trainer.step(batch))

    return { policy: trainer.params, experience, update, state: trainer.state, beta: () => beta }
  })

/** The value model starts from the reward model (appendix C.4), or from the policy's trunk where the reward is no model. */
const valueStart = ({ config, params }: LanguageModel, { model }: Reward): HostTensors => {
  if (model !== undefined) return fromScalar(config, model.params, "reward.", "value.")
  const { weight, bias } = valueParams(config).head
  const zero = ({ shape }: typeof weight) => float32(shape, new Float32Array(sizeOf(shape)))
  return {
    ...fromTrunk(config, params, "", "value.trunk."),
    "value.head.weight": zero(weight),
    "value.head.bias": zero(bias),
  }
}
