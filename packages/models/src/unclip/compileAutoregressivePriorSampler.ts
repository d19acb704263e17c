/** Samplers of an embedding's codes compiled for an engine: with the cache, and without it. */
import {
  attempt,
  BadConfig,
  type CompileError,
  Engine,
  type EngineError,
  float32,
  type HostTensor,
  type HostTensors,
  int32,
  type State,
  sizeOf,
} from "@millrace/core"
import { Effect, type Scope, Semaphore } from "effect"
import { cacheSpecs } from "../sample/cache.js"
import { type AutoregressivePriorConfig, added } from "./autoregressivePrior.js"
import { autoregressivePriorSamplerFunctions } from "./autoregressivePriorSampler.js"
import type { AutoregressivePriorSamplerConfig } from "./autoregressivePriorSamplerConfig.js"
import type { Captions } from "./captions.js"

/** Captions of one batch, and the numbers that codes are drawn with. */
export interface CodeBatch extends Captions {
  /** float32  b */
  readonly dot: HostTensor
  /** Numbers in [0, 1).  k b */
  readonly uniform: Float32Array
}

/** A sampler of codes made ready for an engine. It owns its cache; calls on one sampler wait for each other. */
export interface AutoregressivePriorSampler {
  readonly model: AutoregressivePriorConfig
  readonly config: AutoregressivePriorSamplerConfig
  /** One batch: `code`, `logProb` and `sampledLogProb`, each k b. */
  readonly batch: (policy: State, batch: CodeBatch) => Effect.Effect<HostTensors, EngineError>
  /** int32 `b k` -> `embeddings` float32 `b c` */
  readonly decode: (codes: HostTensor) => Effect.Effect<HostTensors, EngineError>
}

type Compiled = Effect.Effect<AutoregressivePriorSampler, BadConfig | CompileError, Engine | Scope.Scope>

const collected = ["code", "logProb", "sampledLogProb"] as const

const placesFrom = (first: number, count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => first + i)

/** What the first code's call gave, before what the loop gave. */
const joined = (first: HostTensors, rest: HostTensors, k: number, b: number): HostTensors =>
  Object.fromEntries(
    collected.map((name) => {
      const data = [...first[name]!.data, ...(rest[name]?.data ?? [])]
      return [name, (name === "code" ? int32 : float32)([k, b], data)]
    }),
  )

/**
 * A sampler of codes with a cache, compiled once for any number of captions.
 * @fails  BadConfig  every part of the config that makes no sense
 * @law    draws what a full forward for every code draws
 */
export const compileAutoregressivePriorSampler = (
  model: AutoregressivePriorConfig,
  config: AutoregressivePriorSamplerConfig,
): Compiled =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const { batch: b, guidance = 1 } = config
    const { codes: k, text } = model
    const functions = yield* attempt(BadConfig, () => autoregressivePriorSamplerFunctions(model, config))
    const specs = cacheSpecs(model, guidance === 1 ? b : 2 * b, text.context + added + k - 1)
    const cache = yield* engine.allocate(
      Object.fromEntries(
        Object.entries(specs).map(([name, { shape }]) => [name, float32(shape, new Float32Array(sizeOf(shape)))]),
      ),
    )
    const prefill = yield* engine.compile(functions.prefill)
    const step = k === 1 ? null : yield* engine.compile(functions.step)
    const decode = yield* engine.compile(functions.decode)
    const one = yield* Semaphore.make(1)
    const batch = (policy: State, { uniform, ...captions }: CodeBatch) =>
      Effect.gen(function* () {
        const state = { policy, cache }
        const inputs = { ...captions, uniform: float32([b], uniform.subarray(0, b)) }
        const first = yield* prefill.run({ state, inputs })
        if (step === null) return joined(first, {}, k, b)
        const rest = yield* step.loop({
          state,
          steps: k - 1,
          inputs: { length: first.length! },
          each: {
            place: int32([k - 1], placesFrom(0, k - 1)),
            uniform: float32([k - 1, b], uniform.subarray(b)),
          },
          first: { previous: first.code! },
          carry: { code: "previous" },
          collect: collected,
          constants: config.frozen === true ? ["policy"] : [],
          scratch: ["cache"],
        })
        return joined(first, rest, k, b)
      })
    return {
      model,
      config,
      batch: (policy, captions) => one.withPermit(batch(policy, captions)),
      decode: (codes) => decode.run({ inputs: { codes } }),
    }
  })

/**
 * A sampler that runs the caption and the codes so far through the model for every code: what the cache must agree with.
 * @fails  BadConfig  every part of the config that makes no sense
 */
export const compileAutoregressivePriorSamplerWithoutCache = (
  model: AutoregressivePriorConfig,
  config: AutoregressivePriorSamplerConfig,
): Compiled =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const { batch: b } = config
    const { codes: k } = model
    const functions = yield* attempt(BadConfig, () => autoregressivePriorSamplerFunctions(model, config))
    const step = yield* engine.compile(functions.uncached)
    const decode = yield* engine.compile(functions.decode)
    const batch = (policy: State, { uniform, ...captions }: CodeBatch) =>
      step.loop({
        state: { policy },
        steps: k,
        inputs: { ...captions },
        each: { place: int32([k], placesFrom(0, k)), uniform: float32([k, b], uniform) },
        first: { codes: int32([b, k], new Int32Array(b * k)) },
        carry: { codesNext: "codes" },
        collect: collected,
      })
    return { model, config, batch, decode: (codes) => decode.run({ inputs: { codes } }) }
  })
