/**
 * Stage: PPO-ptx, as the dataflow that it is:
 *   prompts -> rollout -> score -> experience -> minibatches -> update
 * One iteration is on its way at a time, since a rollout needs the policy that the last update made; between two of them is where
 * it stops, and goes on from.
 */
import {
  artifact,
  betweenSteps,
  defineStageNode,
  demand,
  drain,
  type Engine,
  forwardSubject,
  Stage,
  settle,
  split,
  spread,
  stages,
} from "@millrace/core"
import { Effect } from "effect"
import { corpusKind } from "../artifacts/corpus.js"
import { labelerKind } from "../artifacts/labeler.js"
import { languageModelKind } from "../artifacts/languageModel.js"
import { passagesKind } from "../artifacts/passages.js"
import { rewardKind } from "../artifacts/reward.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { renamed } from "../parameters.js"
import { trainingCheckpoint } from "../restoredTraining.js"
import { rounded } from "../statistics.js"
import { trainingOf } from "../trainer.js"
import { gptAt, gptSizes, rowLength } from "./outlines.js"
import { PpoConfig } from "./ppo/config.js"
import { experienceJudging, updateTraining } from "./ppo/functions.js"
import { makeLearner, type Report } from "./ppo/learner.js"
import { minibatches } from "./ppo/minibatches.js"
import { gatheredPpo, restoredPpo } from "./ppo/restored.js"
import { makeRollout } from "./ppo/rollout.js"
import { requireWindow, tokenStream } from "./windows.js"

export const ppoStage = defineStageNode({
  type: "instructgpt.ppo",
  version: 1,
  source: "Ouyang et al. 2022, section 3.5, eq. 2, and appendix C.4; Schulman et al. 2017",
  config: PpoConfig,
  ports: {
    in: {
      policy: artifact(languageModelKind),
      reward: artifact(rewardKind),
      passages: artifact(passagesKind),
      corpus: artifact(corpusKind),
      tokenizer: artifact(tokenizerKind),
      labeler: artifact(labelerKind),
    },
    out: artifact(languageModelKind),
  },
  outline: (config, inputs) => {
    const model = gptAt(inputs, "policy")
    return {
      sizes: gptSizes(model),
      functions: {
        update: () => trainingOf(updateTraining(model, config, rowLength(inputs, "passages"))),
        experience: () => {
          const judging = experienceJudging(model, config, rowLength(inputs, "passages"))
          return forwardSubject(judging.objective, judging.inputs, judging.slots)
        },
      },
    }
  },
  run: (config, { policy, reward, passages, corpus, tokenizer, labeler }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const stream = yield* tokenStream(corpus.train, tokenizer)
      const { context } = policy.config
      yield* requireWindow(stream, context, "instructgpt.ppo")
      const before = yield* restoredPpo(policy.config, config, passages)
      const learner = yield* makeLearner({ config, policy, reward, passages, ...(before && { before }) })
      const rollout = yield* makeRollout({ config, policy, reward, passages, tokenizer, labeler })
      const stage = yield* stages<Engine | Stage>()
      const history = [...(before?.history ?? [])]
      let last: Readonly<Record<string, number>> = {}
      const iterate = (iteration: number) =>
        drain(
          demand([iteration], 1).pipe(
            stage("rollout", (i) => rollout.answers(learner.policy, split(split(key, "rollout"), i), i)),
            stage("score", rollout.score),
            stage("experience", learner.experience),
            spread((experience) => {
              history.push(experience.report)
              return minibatches(experience, config, stream, context, split(key, "minibatches"))
            }),
            stage("update", learner.update),
            settle(),
          ),
          (values) => {
            last = values
          },
        )
      for (let i = before?.step ?? 0; i < config.iterations; i++) {
        yield* iterate(i)
        yield* emit({
          type: "stage.step",
          step: i + 1,
          steps: config.iterations,
          values: { ...last, ...history.at(-1) },
          amount: config.episodes,
          unit: "answers",
        })
        yield* betweenSteps(
          Effect.map(learner.state, (state) =>
            trainingCheckpoint(
              i + 1,
              state,
              -(history.at(-1)?.reward ?? Number.NaN),
              gatheredPpo(learner.beta(), history),
            ),
          ),
        )
      }
      if (history.length > 0) yield* emit({ type: "stage.table", ...overOptimisation(history) })
      return { config: policy.config, params: renamed(yield* learner.policy.read(), "policy.", "") }
    }),
})

/**
 * What is optimised beside what is wanted, over the iterations: where the reward rises and the gold score does not, the
 * reward is over-optimised (Gao et al. 2023).
 */
const overOptimisation = (history: ReadonlyArray<Report>) => {
  const last = history.length - 1
  const shown = new Set(Array.from({ length: 7 }, (_, i) => Math.round((i * last) / 6)))
  return {
    title: "Reward against gold score over PPO",
    columns: ["iteration", "KL to SFT, nat", "reward", "gold score"],
    rows: [...shown].map((i) => {
      const { kl, reward, gold } = history[i]!
      return [i + 1, ...[kl, reward, gold].map((value) => rounded(value, 2))]
    }),
  }
}
