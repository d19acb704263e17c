/** Stage: a reward model learns from comparisons. */
import {
  artifact,
  BadLength,
  defineStageNode,
  float32,
  type HostTensors,
  initParams,
  int32,
  objectiveOf,
  Stage,
  spec,
  split,
} from "@millrace/core"
import { fromTrunk, type GptConfig, normalisedHead } from "@millrace/models"
import { Effect, Schema } from "effect"
import { type Comparison, comparisonsKind } from "../artifacts/comparisons.js"
import { languageModelKind } from "../artifacts/languageModel.js"
import { rewardKind } from "../artifacts/reward.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { fit } from "../fit.js"
import { epochRows } from "../order.js"
import { Count } from "../ranges.js"
import { FitConfig, type Training, trainingOf } from "../trainer.js"
import { demonstrationsKind } from "./demonstrations.js"
import { modelReward } from "./modelReward.js"
import { ranking } from "./objectives.js"
import { gptAt, gptSizes, rowLength } from "./outlines.js"
import { rowsOf, widthOf } from "./rows.js"
import { scoreAll } from "./score.js"

/** Comparisons as the inputs of the ranking objective: K answers a prompt, absent ones masked. */
const comparisonRows = (rows: ReadonlyArray<Comparison>, k: number, width: number, padding: number): HostTensors => {
  const b = rows.length
  const pairs = rows.flatMap(({ prompt, answers }) =>
    Array.from({ length: k }, (_, j) => ({ prompt, answer: answers[j] ?? new Int32Array(0) })),
  )
  const { tokens, mask } = rowsOf(pairs, b * k, width, padding)
  const preference = new Float32Array(b * k)
  const present = new Float32Array(b * k)
  rows.forEach((row, i) => {
    preference.set(row.preference, i * k)
    present.fill(1, i * k, i * k + row.answers.length)
  })
  return {
    tokens: int32([b, k, width], tokens),
    mask: float32([b, k, width], mask),
    preference: float32([b, k], preference),
    present: float32([b, k], present),
  }
}

const trainingFor = (model: GptConfig, batch: number, k: number, width: number, fit: FitConfig): Training => ({
  objective: objectiveOf(ranking(model)),
  inputs: {
    tokens: spec("int32", [batch, k, width]),
    mask: spec("float32", [batch, k, width]),
    preference: spec("float32", [batch, k]),
    present: spec("float32", [batch, k]),
  },
  config: fit,
})

export const rewardModelStage = defineStageNode({
  type: "instructgpt.reward-model",
  version: 1,
  source:
    "Ouyang et al. 2022, section 3.5, eq. 1, and appendix C.2: one epoch, cosine to 10 %, demonstrations score 0 in the mean",
  config: Schema.Struct({
    /** Prompts a step; all answers to a prompt are one batch element. */
    batch: Count,
    fit: FitConfig,
  }),
  ports: {
    in: {
      policy: artifact(languageModelKind),
      comparisons: artifact(comparisonsKind),
      demonstrations: artifact(demonstrationsKind),
      tokenizer: artifact(tokenizerKind),
    },
    out: artifact(rewardKind),
  },
  outline: ({ batch, fit: training }, inputs) => {
    const model = gptAt(inputs, "policy")
    const step = () => {
      const [k, width] = [inputs.size("comparisons", "k"), rowLength(inputs, "comparisons")]
      return trainingOf(trainingFor(model, batch, k, width, training))
    }
    return { sizes: gptSizes(model), functions: { step } }
  },
  run: ({ batch, fit: training }, { policy, comparisons, demonstrations, tokenizer }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const rows = comparisons.train
      const k = rows.reduce((most, { answers }) => Math.max(most, answers.length), 0)
      if (k < 2) {
        return yield* new BadLength({
          where: "instructgpt.reward-model",
          expected: "at least two answers to a prompt",
          received: `${rows.length} prompts with ${k} answers at most`,
          fix: "sample k from 4 to 9 answers a prompt",
        })
      }
      const width = widthOf(rows.flatMap(({ prompt, answers }) => answers.map((answer) => ({ prompt, answer }))))
      const step = trainingFor(policy.config, batch, k, width, training)
      const order = split(key, "order")
      const trained = yield* fit({
        ...step,
        initial: {
          ...initParams(step.objective.paramSpecs, split(key, "head")),
          ...fromTrunk(policy.config, policy.params, "", "reward.trunk."),
        },
        batch: (index) =>
          Effect.sync(() =>
            comparisonRows(
              epochRows(rows.length, batch, order, index).map((i) => rows[i]!),
              k,
              width,
              tokenizer.endOfText,
            ),
          ),
        amount: batch * k,
        unit: "answers",
      })
      const raw = modelReward(policy.config, trained)
      const scores = yield* Effect.scoped(
        scoreAll(
          raw,
          demonstrations.slice(0, 512).map(({ prompt, continuation }) => ({ prompt, answer: continuation })),
          64,
          tokenizer,
        ),
      )
      const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length
      yield* emit({
        type: "stage.note",
        text: `demonstrations scored ${mean.toFixed(3)} in the mean; the bias makes it 0`,
      })
      return modelReward(policy.config, {
        ...trained,
        ...normalisedHead(trained, "reward.", [...scores], { kind: "bias" }),
      })
    }),
})
