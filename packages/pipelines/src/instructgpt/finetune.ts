/** Stage: supervised fine-tuning on demonstrations. */
import {
  artifact,
  BadLength,
  defineStageNode,
  float32,
  type HostTensors,
  int32,
  objectiveOf,
  Stage,
  spec,
  split,
} from "@millrace/core"
import type { GptConfig } from "@millrace/models"
import { Effect, Schema } from "effect"
import { languageModelKind } from "../artifacts/languageModel.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { fit } from "../fit.js"
import { epochRows } from "../order.js"
import { renamed } from "../parameters.js"
import { Count } from "../ranges.js"
import { FitConfig, type Training, trainingOf } from "../trainer.js"
import { demonstrationsKind } from "./demonstrations.js"
import { fineTuning } from "./objectives.js"
import { gptAt, gptSizes, rowLength } from "./outlines.js"
import { rowsOf, widthOf } from "./rows.js"

const trainingFor = (model: GptConfig, batch: number, width: number, fit: FitConfig): Training => ({
  objective: objectiveOf(fineTuning(model)),
  inputs: { tokens: spec("int32", [batch, width]), mask: spec("float32", [batch, width]) },
  config: fit,
})

export const finetuneStage = defineStageNode({
  type: "instructgpt.sft",
  version: 1,
  source:
    "Ouyang et al. 2022, section 3.5 and appendix C.1: cosine to 10 %, no warm-up; the loss is on the answer alone",
  config: Schema.Struct({ batch: Count, fit: FitConfig }),
  ports: {
    in: {
      base: artifact(languageModelKind),
      demonstrations: artifact(demonstrationsKind),
      tokenizer: artifact(tokenizerKind),
    },
    out: artifact(languageModelKind),
  },
  outline: ({ batch, fit: training }, inputs) => {
    const model = gptAt(inputs, "base")
    const step = () => trainingOf(trainingFor(model, batch, rowLength(inputs, "demonstrations"), training))
    return { sizes: gptSizes(model), functions: { step } }
  },
  run: ({ batch, fit: training }, { base, demonstrations, tokenizer }) =>
    Effect.gen(function* () {
      const { key } = yield* Stage
      const pairs = demonstrations.map(({ prompt, continuation }) => ({ prompt, answer: continuation }))
      const width = widthOf(pairs)
      if (width > base.config.context) {
        return yield* new BadLength({
          where: "instructgpt.sft",
          expected: `demonstrations of at most ${base.config.context} tokens, the model's context`,
          received: `one of ${width} tokens`,
          fix: "shorten promptLength and continuationLength, or pretrain with a longer context",
        })
      }
      const order = split(key, "order")
      const rows = (step: number): HostTensors => {
        const chosen = epochRows(pairs.length, batch, order, step).map((i) => pairs[i]!)
        const { tokens, answerMask } = rowsOf(chosen, batch, width, tokenizer.endOfText)
        return { tokens: int32([batch, width], tokens), mask: float32([batch, width], answerMask) }
      }
      const trained = yield* fit({
        ...trainingFor(base.config, batch, width, training),
        initial: renamed(base.params, "", "policy."),
        batch: (index) => Effect.sync(() => rows(index)),
        amount: batch * width,
        unit: "tokens",
      })
      return { config: base.config, params: renamed(trained, "policy.", "") }
    }),
})
