/** Training of the diffusion prior. */
import {
  float32,
  type HostTensor,
  type HostTensors,
  initParams,
  type Key,
  objectiveOf,
  random,
  type Specs,
  spec,
  split,
} from "@millrace/core"
import { type EmbeddingScaleData, type PriorConfig, type Tokenizer, takeRows } from "@millrace/models"
import { Effect } from "effect"
import type { EmbeddedSet } from "../artifacts/embeddings.js"
import type { DiffusionPrior } from "../artifacts/unclipPrior.js"
import { fit } from "../fit.js"
import { renamed } from "../parameters.js"
import type { Training } from "../trainer.js"
import { captionedRows, drawTimes } from "./captionedRows.js"
import { captionInputs } from "./captionInputs.js"
import { priorTraining } from "./objectives.js"
import type { PriorStageConfig } from "./priorConfig.js"

export const diffusionPriorConfig = ({ model }: PriorStageConfig, joint: number, vocab: number): PriorConfig => {
  const { context, ...shape } = model
  return { ...shape, embedding: joint, text: { context, vocab } }
}

/** What both priors are given of captions. */
export const captionSpecsOf = (batch: number, joint: number, context: number): Specs => ({
  textEmbedding: spec("float32", [batch, joint]),
  text: spec("int32", [batch, context]),
  mask: spec("float32", [batch, context]),
  kept: spec("float32", [batch]),
})

/** The caption inputs of a step, some captions left out. */
export const captionBatch = (
  set: EmbeddedSet,
  tokenizer: Tokenizer,
  { batch, drop, model: { context } }: PriorStageConfig,
  captions: ReadonlyArray<number>,
  key: Key,
): HostTensors => ({
  textEmbedding: takeRows(set.text, captions),
  ...captionInputs(
    tokenizer,
    captions.map((at) => set.captions[at]!),
    context,
  ),
  kept: float32(
    [batch],
    Float32Array.from(random.uniform(key, [batch]).data, (u) => (u < drop ? 0 : 1)),
  ),
})

/** The scale of a config, its statistics those of the embeddings. */
const scaleOf = (
  { scale }: PriorStageConfig["diffusion"],
  { shape: [n = 0, c = 0], data }: HostTensor,
): EmbeddingScaleData => {
  if (scale.kind === "factor") return scale
  const [mean, square] = [new Float64Array(c), new Float64Array(c)]
  for (let i = 0; i < n * c; i++) mean[i % c]! += data[i]! / n
  for (let i = 0; i < n * c; i++) square[i % c]! += (data[i]! - mean[i % c]!) ** 2 / n
  return {
    kind: "statistics",
    mean: float32([c], mean),
    std: float32(
      [c],
      square.map((v) => Math.max(1e-6, Math.sqrt(v))),
    ),
  }
}

/** Embeddings at the scale of noise. float32 n c */
const scaled = ({ shape, data }: HostTensor, scale: EmbeddingScaleData): HostTensor => {
  const c = shape[1] ?? 1
  return float32(
    shape,
    Float32Array.from(data as Float32Array, (x, i) =>
      scale.kind === "factor" ? x * scale.factor : (x - scale.mean.data[i % c]!) / scale.std.data[i % c]!,
    ),
  )
}

export const diffusionPriorTraining = (config: PriorStageConfig, joint: number, vocab: number): Training => {
  const { batch, fit: training, diffusion } = config
  return {
    objective: objectiveOf(priorTraining(diffusionPriorConfig(config, joint, vocab), diffusion.schedule)),
    inputs: {
      ...captionSpecsOf(batch, joint, config.model.context),
      embedding: spec("float32", [batch, joint]),
      noise: spec("float32", [batch, joint]),
      time: spec("int32", [batch]),
    },
    config: training,
  }
}

export const fitDiffusionPrior = (config: PriorStageConfig, set: EmbeddedSet, tokenizer: Tokenizer, key: Key) =>
  Effect.gen(function* () {
    const { batch, diffusion } = config
    const joint = set.image.shape[1] ?? 0
    const scale = scaleOf(diffusion, set.image)
    const targets = scaled(set.image, scale)
    const training = diffusionPriorTraining(config, joint, tokenizer.size)
    const trained = yield* fit({
      ...training,
      initial: initParams(training.objective.paramSpecs, split(key, "parameters")),
      batch: (step) =>
        Effect.sync(() => {
          const { images, captions } = captionedRows(set, batch, key, step)
          const own = (name: string): Key => split(split(key, name), step)
          return {
            ...captionBatch(set, tokenizer, config, captions, own("drops")),
            embedding: takeRows(targets, images),
            noise: random.normal(own("noise"), [batch, joint]),
            time: drawTimes(own("times"), batch, diffusion.schedule.steps),
          }
        }),
      amount: batch,
      unit: "captions",
    })
    return {
      kind: "diffusion",
      config: diffusionPriorConfig(config, joint, tokenizer.size),
      schedule: diffusion.schedule,
      scale,
      params: renamed(trained, "prior.", ""),
    } satisfies DiffusionPrior
  })
