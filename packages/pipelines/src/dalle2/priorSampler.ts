/** A trained prior made ready to sample: captions in, embeddings of images out. */
import { Engine, float32, type HostTensor, type Key, split } from "@millrace/core"
import {
  type Captions,
  compileAutoregressivePriorSampler,
  compilePriorSampler,
  diffusionOf,
  priorDenoiser,
  sampleEmbeddingCodes,
  type Tokenizer,
  takeRows,
} from "@millrace/models"
import { Effect, Schema } from "effect"
import type { CodePrior, DiffusionPrior, UnclipPrior } from "../artifacts/unclipPrior.js"
import { renamed } from "../parameters.js"
import { Count } from "../ranges.js"
import { captionInputs } from "./captionInputs.js"

export const PriorSampling = Schema.Struct({
  /** Of classifier-free guidance; 1 is the caption's own prediction. */
  guidance: Schema.Finite,
  /** Embeddings drawn for each caption, of which the one closest to the caption's is taken: 2 in the paper. */
  candidates: Count,
  /** Steps of DDPM, of the diffusion prior: 64 in the paper. */
  steps: Count,
  /** Captions at a time. */
  batch: Count,
})
export type PriorSampling = typeof PriorSampling.Type

/** What a prior is asked: captions, and their CLIP embeddings float32 n c. */
export interface Asked {
  readonly captions: ReadonlyArray<string>
  readonly textEmbedding: HostTensor
}

/** float32 n c, each of length 1, as CLIP's are and a sample only nearly. */
export const lengthOne = ({ shape, data }: HostTensor): HostTensor => {
  const c = shape.at(-1) ?? 1
  const made = Float32Array.from(data as Float32Array)
  for (let from = 0; from < made.length; from += c) {
    const row = made.subarray(from, from + c)
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0))
    for (let j = 0; j < c; j++) row[j]! /= length
  }
  return float32(shape, made)
}

const rowsFor = (prior: UnclipPrior, tokenizer: Tokenizer, { captions, textEmbedding }: Asked): Captions => ({
  textEmbedding,
  ...captionInputs(tokenizer, captions, prior.config.text.context),
})

const openDiffusion = (prior: DiffusionPrior, { guidance, candidates, steps, batch }: PriorSampling) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const params = yield* engine.allocate(renamed(prior.params, "", "prior."))
    const { schedule } = diffusionOf({
      schedule: prior.schedule,
      parametrisation: "start",
      variance: "fixed-small",
    })
    const sampler = yield* compilePriorSampler(priorDenoiser(prior.config), {
      diffusion: { schedule, variance: "fixed-small" },
      spacing: `${Math.min(steps, schedule.steps)}`,
      method: { kind: "ddpm" },
      clamp: "karlo",
      guidance,
      candidates,
      scale: prior.scale,
      batch,
      frozen: true,
      prefix: "prior.",
    })
    return (captions: Captions, key: Key) =>
      Effect.map(sampler.sample(params, captions, key), ({ embeddings }) => embeddings)
  })

/** Of several rows a caption the one with the largest dot product. */
const closest = (drawn: HostTensor, text: HostTensor, candidates: number): HostTensor => {
  const [n = 0, c = 0] = text.shape
  const dot = (row: number, caption: number): number => {
    let sum = 0
    for (let j = 0; j < c; j++) sum += drawn.data[row * c + j]! * text.data[caption * c + j]!
    return sum
  }
  const best = Array.from({ length: n }, (_, caption) => {
    const rows = Array.from({ length: candidates }, (__, j) => caption * candidates + j)
    return rows.reduce((top, row) => (dot(row, caption) > dot(top, caption) ? row : top))
  })
  return takeRows(drawn, best)
}

const openCodes = (prior: CodePrior, { guidance, candidates, batch }: PriorSampling) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const policy = yield* engine.allocate(renamed(prior.params, "", "prior."))
    const { pca, range, dots, dotRange } = prior
    const sampler = yield* compileAutoregressivePriorSampler(prior.config, {
      batch,
      guidance,
      pca,
      range,
      dots,
      dotRange,
      frozen: true,
      prefix: "prior.",
    })
    return (captions: Captions, key: Key) => {
      const [n = 0] = captions.mask.shape
      const rows = Array.from({ length: n * candidates }, (_, i) => Math.floor(i / candidates))
      const repeated = {
        textEmbedding: takeRows(captions.textEmbedding, rows),
        text: takeRows(captions.text, rows),
        mask: takeRows(captions.mask, rows),
      }
      return Effect.map(sampleEmbeddingCodes(sampler, policy, repeated, key), ({ embeddings }) =>
        closest(embeddings, captions.textEmbedding, candidates),
      )
    }
  })

/**
 * A sampler of either prior. It lives as long as the scope.
 * @returns  embeddings of images, of length 1: float32 n c
 */
export const openPrior = (prior: UnclipPrior, tokenizer: Tokenizer, sampling: PriorSampling) =>
  Effect.gen(function* () {
    const sample =
      prior.kind === "diffusion" ? yield* openDiffusion(prior, sampling) : yield* openCodes(prior, sampling)
    return (asked: Asked, key: Key) =>
      Effect.map(sample(rowsFor(prior, tokenizer, asked), split(key, "prior")), lengthOne)
  })
