/** Image samplers compiled for an engine: with the cache, and without it. */
import {
  BadConfig,
  type CompileError,
  Engine,
  type EngineError,
  float32,
  type HostTensors,
  int32,
  type State,
  sizeOf,
} from "@millrace/core"
import { Effect, type Scope, Semaphore } from "effect"
import type { SparseConfig } from "../sparse.js"
import { type ImageSamplerConfig, imageSamplerFunctions } from "./imageSampler.js"
import { sparseCacheSpecs } from "./sparseCache.js"

/** An image sampler made ready for an engine. It owns its cache; generations on one sampler wait for each other. */
export interface ImageSampler {
  readonly model: SparseConfig
  readonly config: ImageSamplerConfig
  /** One batch of images: `code`, `logProb` and `sampledLogProb`, each s b. */
  readonly batch: (policy: State, batch: CaptionBatch) => Effect.Effect<HostTensors, EngineError>
}

/** Captions padded on the right, and the numbers that codes are drawn with. */
export interface CaptionBatch {
  /** int32  b t */
  readonly tokens: Int32Array
  /** 1 for a caption's tokens. b t */
  readonly mask: Float32Array
  /** s b */
  readonly uniform: Float32Array
}

const collected = ["code", "logProb", "sampledLogProb"] as const

const functionsOf = (model: SparseConfig, config: ImageSamplerConfig) =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(imageSamplerFunctions(model, config))
    } catch (error) {
      return error instanceof BadConfig ? Effect.fail(error) : Effect.die(error)
    }
  })

const captionInputs = ({ text }: SparseConfig, { batch: b }: ImageSamplerConfig, { tokens, mask }: CaptionBatch) => ({
  tokens: int32([b, text], tokens),
  mask: float32([b, text], mask),
})

const placesFrom = (first: number, count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => first + i)

/** What the first code's call gave, before what the loop gave. */
const joined = (first: HostTensors, rest: HostTensors | null, size: number, b: number): HostTensors =>
  Object.fromEntries(
    collected.map((name) => {
      const data = [...first[name]!.data, ...(rest === null ? [] : rest[name]!.data)]
      return [name, (name === "code" ? int32 : float32)([size, b], data)]
    }),
  )

/**
 * A sampler of image codes with a cache, compiled once for any number of images.
 * @fails  BadConfig  every number of the config that makes no sense
 * @law    draws what a full forward for every code draws
 */
export const compileImageSampler = (
  model: SparseConfig,
  config: ImageSamplerConfig,
): Effect.Effect<ImageSampler, BadConfig | CompileError, Engine | Scope.Scope> =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const { batch: b } = config
    const size = model.rows * model.columns
    const functions = yield* functionsOf(model, config)
    const cache = yield* engine.allocate(
      Object.fromEntries(
        Object.entries(sparseCacheSpecs(model, b)).map(([name, { shape }]) => [
          name,
          float32(shape, new Float32Array(sizeOf(shape))),
        ]),
      ),
    )
    const prefill = yield* engine.compile(functions.prefill)
    const step = size === 1 ? null : yield* engine.compile(functions.step)
    const one = yield* Semaphore.make(1)
    const batch = (policy: State, captions: CaptionBatch) =>
      Effect.gen(function* () {
        const state = { policy, cache }
        const uniform = float32([b], captions.uniform.subarray(0, b))
        const first = yield* prefill.run({ state, inputs: { ...captionInputs(model, config, captions), uniform } })
        if (step === null) return joined(first, null, size, b)
        const rest = yield* step.loop({
          state,
          steps: size - 1,
          inputs: {},
          each: {
            place: int32([size - 1], placesFrom(0, size - 1)),
            uniform: float32([size - 1, b], captions.uniform.subarray(b)),
          },
          first: { previous: int32([b], first.code!.data) },
          carry: { code: "previous" },
          collect: collected,
          constants: config.frozen === true ? ["policy"] : [],
        })
        return joined(first, rest, size, b)
      })
    return { model, config, batch: (policy, captions) => one.withPermit(batch(policy, captions)) }
  })

/**
 * A sampler that runs text and image through the model for every code: what the cache must agree with.
 * @fails  BadConfig  every number of the config that makes no sense
 */
export const compileImageSamplerWithoutCache = (
  model: SparseConfig,
  config: ImageSamplerConfig,
): Effect.Effect<ImageSampler, BadConfig | CompileError, Engine | Scope.Scope> =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const { batch: b } = config
    const size = model.rows * model.columns
    const step = yield* engine.compile((yield* functionsOf(model, config)).uncached)
    const batch = (policy: State, captions: CaptionBatch) =>
      step.loop({
        state: { policy },
        steps: size,
        inputs: captionInputs(model, config, captions),
        each: { place: int32([size], placesFrom(0, size)), uniform: float32([size, b], captions.uniform) },
        first: { codes: int32([b, size], new Int32Array(b * size)) },
        carry: { codesNext: "codes" },
        collect: collected,
      })
    return { model, config, batch }
  })
