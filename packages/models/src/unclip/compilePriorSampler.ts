/** From captions to embeddings of images by a diffusion prior, compiled for an engine. */
import {
  attempt,
  BadConfig,
  type CompileError,
  Engine,
  type EngineError,
  float32,
  type HostTensor,
  type HostTensors,
  type Key,
  type State,
  spec,
  type TensorFunction,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, type Scope } from "effect"
import { compileDiffusionSampler } from "../diffusion/compileDiffusionSampler.js"
import type { Denoiser } from "../diffusion/denoiser.js"
import { guided } from "../diffusion/guidance.js"
import { checkRows, rowBatches, takeRows } from "../diffusion/rows.js"
import type { Captions } from "./captions.js"
import { closestCandidate } from "./closestCandidate.js"
import { embeddingScaleOf, unscaleEmbeddings } from "./embeddingScale.js"
import { checkPriorSampler, embeddingClamps, type PriorSamplerConfig } from "./priorSamplerConfig.js"

export interface PriorSamples {
  /** The candidate that is closest to each caption.  float32  n c */
  readonly embeddings: HostTensor
  /** All that were drawn.  float32  n k c */
  readonly candidates: HostTensor
}

/** A diffusion prior made ready for an engine. */
export interface PriorSampler {
  readonly config: PriorSamplerConfig
  /**
   * Embeddings of images for captions. A candidate is a function of the parameters, its caption, the key, its caption's place
   * and its own: not of the size of the batches.
   * @param empty  the caption that stands for none under guidance, one row, as in Karlo; else captions are left out
   */
  readonly sample: (
    params: State,
    captions: Captions,
    key: Key,
    empty?: Captions,
  ) => Effect.Effect<PriorSamples, EngineError>
}

const given = ({ textEmbedding, text, mask }: Captions): HostTensors => ({ textEmbedding, text, mask })
const repeat = (rows: HostTensor, times: number): HostTensor =>
  takeRows(
    rows,
    Array.from({ length: (rows.shape[0] ?? 0) * times }, (_, i) => Math.floor(i / times)),
  )
const mapped = (tensors: HostTensors, change: (tensor: HostTensor) => HostTensor): HostTensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, change(tensor)]))

/** Samples at the scale of noise -> embeddings, and the closest one of each caption's. */
const chooseFunction = (config: PriorSamplerConfig, c: number): TensorFunction => {
  const { batch: b, candidates: k } = config
  return {
    name: "prior.choose",
    state: {},
    inputs: { samples: spec("float32", [b * k, c]), textEmbedding: spec("float32", [b, c]) },
    body: (_, { samples, textEmbedding }) => {
      const candidates = tf.reshape(unscaleEmbeddings(samples!, embeddingScaleOf(config.scale)), [b, k, c])
      return { outputs: { candidates, embeddings: closestCandidate(candidates, textEmbedding!) } }
    },
  }
}

/**
 * A sampler of a diffusion prior, compiled once for any number of captions. All steps run inside the engine.
 *
 *   const sampler = yield* compilePriorSampler(priorDenoiser(priorPresets.unclip), {
 *     ...priorSamplerPresets.unclip, diffusion, guidance: 4, batch: 8,
 *   })
 *   const { embeddings } = yield* sampler.sample(params, captions, key)
 * @param denoiser  predicts the start; with the conditions `textEmbedding`, `text`, `mask` and `kept`
 * @fails  BadConfig  a number that makes no sense, a spacing that the schedule cannot have, other conditions
 * @law    a guidance of 1 is the caption's own prediction
 * @source Ramesh et al. 2022, section 2.2
 */
export const compilePriorSampler = (
  denoiser: Denoiser,
  config: PriorSamplerConfig,
): Effect.Effect<PriorSampler, BadConfig | CompileError, Engine | Scope.Scope> =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const { kept, ...caption } = denoiser.conditioning
    const c = caption.textEmbedding?.shape[0]
    const names = Object.keys(denoiser.conditioning).sort().join(", ")
    if (names !== "kept, mask, text, textEmbedding" || c === undefined) {
      return yield* new BadConfig({
        where: denoiser.name,
        expected: "the conditions kept, mask, text, textEmbedding",
        received: names,
        fix: "give what `priorDenoiser` gives, or a denoiser of the same conditions",
      })
    }
    yield* attempt(BadConfig, () => checkPriorSampler(config, c))
    const { batch: b, candidates: k, guidance, diffusion, clamp, scale: _, ...rest } = config
    const isGuided = guidance !== 1
    const walk = yield* compileDiffusionSampler(isGuided ? guided(denoiser, guidance) : denoiser, {
      ...rest,
      diffusion: { ...diffusion, parametrisation: "start" },
      clamp: embeddingClamps[clamp],
      batch: b * k,
      shape: [c],
    })
    const choose = yield* engine.compile(chooseFunction(config, c))

    const sample = (params: State, captions: Captions, key: Key, empty?: Captions) =>
      Effect.gen(function* () {
        const n = captions.mask.shape[0] ?? 0
        const wrong =
          checkRows("prior.sample", caption, given(captions), n) ??
          (empty === undefined ? null : checkRows("prior.sample > empty", caption, given(empty), 1))
        if (wrong !== null) return yield* wrong
        const count = n * k
        const keep = (value: number) => float32([count], new Float32Array(count).fill(value))
        const told: HostTensors = { ...mapped(given(captions), (rows) => repeat(rows, k)), kept: keep(1) }
        const instead: HostTensors =
          empty === undefined
            ? { ...told, kept: keep(0) }
            : { ...mapped(given(empty), (row) => repeat(row, count)), kept: keep(1) }
        const none = Object.fromEntries(
          Object.entries(instead).map(([name, rows]) => [`unconditional.${name}`, rows] as const),
        )
        const samples = yield* walk.sample(params, { count, conditioning: isGuided ? { ...told, ...none } : told }, key)
        const embeddings = new Float32Array(n * c)
        const candidates = new Float32Array(count * c)
        for (const rows of rowBatches(n, b)) {
          const from = rows[0]!
          const made = yield* choose.run({
            inputs: {
              samples: takeRows(
                samples,
                rows.flatMap((row) => Array.from({ length: k }, (_, j) => row * k + j)),
              ),
              textEmbedding: takeRows(captions.textEmbedding, rows),
            },
          })
          const full = Math.min(b, n - from)
          const put = (to: Float32Array, name: string, size: number): void =>
            to.set((made[name]!.data as Float32Array).subarray(0, full * size), from * size)
          put(embeddings, "embeddings", c)
          put(candidates, "candidates", k * c)
        }
        return { embeddings: float32([n, c], embeddings), candidates: float32([n, k, c], candidates) }
      })
    return { config, sample }
  })
