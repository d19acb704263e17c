/** Training of the autoregressive prior. */
import {
  attempt,
  BadData,
  float32,
  type HostTensor,
  initParams,
  int32,
  type Key,
  objectiveOf,
  spec,
  split,
} from "@millrace/core"
import { type AutoregressivePriorConfig, fitPca, fitRange, type Tokenizer, takeRows } from "@millrace/models"
import { Effect } from "effect"
import type { EmbeddedSet } from "../artifacts/embeddings.js"
import type { CodePrior } from "../artifacts/unclipPrior.js"
import { fit } from "../fit.js"
import { renamed } from "../parameters.js"
import type { Training } from "../trainer.js"
import { captionedRows } from "./captionedRows.js"
import { captionBatch, captionSpecsOf } from "./diffusionPrior.js"
import { codePriorTraining, codesOf, componentsOf } from "./objectives.js"
import type { PriorStageConfig } from "./priorConfig.js"
import { applying, runOnce } from "./runOnce.js"

export const codePriorConfig = (
  { model, autoregressive }: PriorStageConfig,
  joint: number,
  vocab: number,
): AutoregressivePriorConfig => {
  const { context, ...shape } = model
  return { ...shape, ...autoregressive, embedding: joint, text: { context, vocab } }
}

export const codePriorTrainingOf = (config: PriorStageConfig, joint: number, vocab: number): Training => {
  const { batch, fit: training, autoregressive } = config
  return {
    objective: objectiveOf(codePriorTraining(codePriorConfig(config, joint, vocab))),
    inputs: {
      ...captionSpecsOf(batch, joint, config.model.context),
      dot: spec("int32", [batch]),
      codes: spec("int32", [batch, autoregressive.codes]),
    },
    config: training,
  }
}

/** z_image · z_text of every caption with its own image. float32 m 1 */
const dotsOf = ({ image, text, first }: EmbeddedSet): HostTensor => {
  const c = image.shape[1] ?? 0
  const dots = new Float32Array(text.shape[0] ?? 0)
  for (let i = 0; i + 1 < first.length; i++) {
    for (let at = first[i]!; at < first[i + 1]!; at++) {
      for (let j = 0; j < c; j++) dots[at]! += image.data[i * c + j]! * text.data[at * c + j]!
    }
  }
  return float32([dots.length, 1], dots)
}

export const fitCodePrior = (config: PriorStageConfig, set: EmbeddedSet, tokenizer: Tokenizer, key: Key) =>
  Effect.gen(function* () {
    const { batch, autoregressive } = config
    const joint = set.image.shape[1] ?? 0
    const pca = yield* attempt(BadData, () => fitPca(set.image, autoregressive.codes))
    const { mean, axes } = pca
    const components = (yield* runOnce(applying(componentsOf), { embedding: set.image, mean, axes })).components!
    const range = yield* attempt(BadData, () => fitRange(components))
    const dots = dotsOf(set)
    const dotRange = yield* attempt(BadData, () => fitRange(dots))
    const bucketed = (values: HostTensor, { low, high }: typeof range, buckets: number) =>
      Effect.map(runOnce(applying(codesOf(buckets)), { components: values, low, high }), ({ codes }) => codes!)
    const codes = yield* bucketed(components, range, autoregressive.buckets)
    const dotCodes = yield* bucketed(dots, dotRange, autoregressive.dotBuckets)
    const training = codePriorTrainingOf(config, joint, tokenizer.size)
    const trained = yield* fit({
      ...training,
      initial: initParams(training.objective.paramSpecs, split(key, "parameters")),
      batch: (step) =>
        Effect.sync(() => {
          const { images, captions } = captionedRows(set, batch, key, step)
          return {
            ...captionBatch(set, tokenizer, config, captions, split(split(key, "drops"), step)),
            dot: int32([batch], takeRows(dotCodes, captions).data),
            codes: takeRows(codes, images),
          }
        }),
      amount: batch,
      unit: "captions",
    })
    return {
      kind: "autoregressive",
      config: codePriorConfig(config, joint, tokenizer.size),
      pca,
      range,
      dots: float32([dots.data.length], dots.data),
      dotRange,
      params: renamed(trained, "prior.", ""),
    } satisfies CodePrior
  })
