/** Samplers compiled for an engine: with the cache, and without it. */
import {
  BadConfig,
  BadLength,
  type CompileError,
  Engine,
  type EngineError,
  type Executable,
  float32,
  type HostTensors,
  int32,
  type State,
  sizeOf,
} from "@millrace/core"
import { Effect, type Scope, Semaphore } from "effect"
import type { GptConfig } from "../gpt.js"
import { cacheSpecs } from "./cache.js"
import { samplerFunctions } from "./sampler.js"
import type { SamplerConfig } from "./samplerConfig.js"

/** A sampler made ready for an engine. It owns its cache; generations on one sampler wait for each other. */
export interface Sampler {
  readonly model: GptConfig
  readonly config: SamplerConfig
  /** One batch: prompts padded on the left, uniform numbers a step and row. */
  readonly batch: (policy: State, batch: PromptBatch) => Effect.Effect<HostTensors, EngineError>
}

/** Prompts padded on the left, and the numbers that tokens are drawn with. */
export interface PromptBatch {
  /** int32  b promptLength */
  readonly tokens: Int32Array
  /** 1 for a real token. b promptLength */
  readonly mask: Float32Array
  /** length b */
  readonly uniform: Float32Array
}

const collected = ["token", "mask", "logProb", "sampledLogProb"] as const

const functionsOf = (model: GptConfig, config: SamplerConfig) =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(samplerFunctions(model, config))
    } catch (error) {
      return error instanceof BadConfig || error instanceof BadLength ? Effect.fail(error) : Effect.die(error)
    }
  })

/** Real tokens of each prompt before its last. */
const tokensBefore = (b: number, promptLength: number, mask: Float32Array): Array<number> =>
  Array.from({ length: b }, (_, i) =>
    mask.subarray(i * promptLength, (i + 1) * promptLength).reduce((n, real) => n + real, -1),
  )

/** Which inputs of a step stay the same, differ by step, and come from the step before. */
const loopInputs = (config: SamplerConfig, { tokens, mask, uniform }: PromptBatch) => {
  const { batch: b, promptLength, length } = config
  const widened = <A extends Float32Array | Int32Array>(from: A, to: A, fill: number): A => {
    const width = to.length / b
    to.fill(fill)
    for (let i = 0; i < b; i++)
      to.set(from.subarray(i * promptLength, Math.min((i + 1) * promptLength, i * promptLength + width)), i * width)
    return to
  }
  const rows = Array.from({ length: b }, (_, i) => i)
  return {
    mask: (width: number) => float32([b, width], widened(mask, new Float32Array(b * width), 1)),
    text: (width: number) => int32([b, width], widened(tokens, new Int32Array(b * width), 0)),
    start: int32([b], tokensBefore(b, promptLength, mask)),
    previous: int32(
      [b],
      rows.map((i) => tokens[(i + 1) * promptLength - 1]!),
    ),
    alive: float32([b], new Float32Array(b).fill(1)),
    each: {
      step: int32([length], rowsOf(length)),
      uniform: float32([length, b], uniform),
    },
  }
}
const rowsOf = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i)

/** The prompts without their last token, which the first step reads, padded on the right. */
const prefillInputs = ({ batch: b, promptLength }: SamplerConfig, { tokens, mask }: PromptBatch): HostTensors => {
  const width = promptLength - 1
  const moved = new Int32Array(b * width)
  for (const [i, before] of tokensBefore(b, promptLength, mask).entries()) {
    const end = (i + 1) * promptLength - 1
    moved.set(tokens.subarray(end - before, end), i * width)
  }
  return { tokens: int32([b, width], moved) }
}

/**
 * A sampler with a key-value cache, compiled once for any number of generations.
 * @fails  BadConfig  BadLength  prompt and generated tokens do not fit into the context
 */
export const compileSampler = (
  model: GptConfig,
  config: SamplerConfig,
): Effect.Effect<Sampler, BadConfig | BadLength | CompileError, Engine | Scope.Scope> =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const functions = yield* functionsOf(model, config)
    const specs = cacheSpecs(model, config.batch, config.promptLength + config.length - 1)
    const empty = Object.fromEntries(
      Object.entries(specs).map(([name, { shape }]) => [name, float32(shape, new Float32Array(sizeOf(shape)))]),
    )
    const cache = yield* engine.allocate(empty)
    const prefill: Executable | null = functions.prefill === null ? null : yield* engine.compile(functions.prefill)
    const step = yield* engine.compile(functions.step)
    const one = yield* Semaphore.make(1)
    // Slots that are not seen are multiplied by 0 in plain kernels, and 0 · NaN is no 0: what NaN may have got into is emptied.
    let spoilt = false
    const batch = (policy: State, prompts: PromptBatch) =>
      Effect.gen(function* () {
        const state = { policy, cache }
        if (prefill === null || spoilt) yield* cache.write(empty)
        spoilt = true
        if (prefill !== null) {
          const inputs = prefillInputs(config, prompts)
          yield* prefill.loop({ state, steps: 1, inputs, collect: [], scratch: ["cache"] })
        }
        const inputs = loopInputs(config, prompts)
        const made = yield* step.loop({
          state,
          steps: config.length,
          inputs: { start: inputs.start },
          each: inputs.each,
          first: { previous: inputs.previous, alive: inputs.alive },
          carry: { token: "previous", aliveNext: "alive" },
          collect: collected,
          constants: config.frozen === true ? ["policy"] : [],
          scratch: ["cache"],
        })
        spoilt = !made.logProb!.data.every(Number.isFinite)
        return made
      })
    return { model, config, batch: (policy, prompts) => one.withPermit(batch(policy, prompts)) }
  })

/**
 * A sampler that runs the whole text through the model for every token: what the cache must agree with.
 * @fails  BadConfig  BadLength  prompt and generated tokens do not fit into the context
 */
export const compileSamplerWithoutCache = (
  model: GptConfig,
  config: SamplerConfig,
): Effect.Effect<Sampler, BadConfig | BadLength | CompileError, Engine | Scope.Scope> =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const step = yield* engine.compile((yield* functionsOf(model, config)).uncached)
    const batch = (policy: State, prompts: PromptBatch) => {
      const inputs = loopInputs(config, prompts)
      const width = config.promptLength + config.length
      return step.loop({
        state: { policy },
        steps: config.length,
        inputs: { mask: inputs.mask(width) },
        each: inputs.each,
        first: { text: inputs.text(width), alive: inputs.alive },
        carry: { textNext: "text", aliveNext: "alive" },
        collect: collected,
      })
    }
    return { model, config, batch }
  })
