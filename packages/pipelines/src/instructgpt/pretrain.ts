/** Stage: a GPT learns a corpus, window by window. */
import { artifact, defineStageNode, initParams, objectiveOf, Stage, spec, split } from "@millrace/core"
import type { GptConfig } from "@millrace/models"
import { Effect, Schema } from "effect"
import { corpusKind } from "../artifacts/corpus.js"
import { languageModelKind } from "../artifacts/languageModel.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { fit } from "../fit.js"
import { renamed } from "../parameters.js"
import { Count } from "../ranges.js"
import { FitConfig, type Training, trainingOf } from "../trainer.js"
import { languageModelling } from "./objectives.js"
import { gptSizes } from "./outlines.js"
import { requireWindow, tokenStream, windowBatch } from "./windows.js"

/** A GPT's shape without its vocabulary, which the tokenizer decides. */
export const GptShape = Schema.Struct({
  context: Count,
  width: Count,
  layers: Count,
  heads: Count,
}).check(
  Schema.makeFilter(({ width, heads }) =>
    width % heads === 0 ? undefined : `width ${width} must be a multiple of heads ${heads}`,
  ),
)

const trainingFor = (config: GptConfig, batch: number, fit: FitConfig): Training => ({
  objective: objectiveOf(languageModelling(config)),
  inputs: { tokens: spec("int32", [batch, config.context]) },
  config: fit,
})

export const pretrainStage = defineStageNode({
  type: "instructgpt.pretrain",
  version: 1,
  source: "Radford et al. 2019, section 2; Adam β as Ouyang et al. 2022, appendix C",
  config: Schema.Struct({
    model: GptShape,
    /** Windows a step, each as long as the context. */
    batch: Count,
    fit: FitConfig,
  }),
  ports: {
    in: { corpus: artifact(corpusKind), tokenizer: artifact(tokenizerKind) },
    out: artifact(languageModelKind),
  },
  outline: ({ model, batch, fit: training }, { size }) => {
    const config = { ...model, vocab: size("tokenizer", "vocab") }
    return { sizes: gptSizes(config), functions: { step: () => trainingOf(trainingFor(config, batch, training)) } }
  },
  run: ({ model, batch, fit: training }, { corpus, tokenizer }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const config: GptConfig = { ...model, vocab: tokenizer.size }
      const stream = yield* tokenStream(corpus.train, tokenizer)
      yield* requireWindow(stream, model.context, "instructgpt.pretrain")
      const amount = batch * model.context
      yield* emit({
        type: "stage.note",
        text: `${(stream.length / 1e6).toFixed(2)} M tokens of text; ${((amount * training.steps) / 1e6).toFixed(2)} M are seen`,
      })
      const step = trainingFor(config, batch, training)
      const windows = split(key, "windows")
      const trained = yield* fit({
        ...step,
        initial: initParams(step.objective.paramSpecs, split(key, "parameters")),
        batch: (step) => Effect.sync(() => windowBatch(stream, batch, model.context, windows, step)),
        amount,
        unit: "tokens",
      })
      return { config, params: renamed(trained, "policy.", "") }
    }),
})
