/** Text from prompts: a sampler compiled for an engine, and its loop. */
import {
  BadConfig,
  BadData,
  BadLength,
  type CompileError,
  Engine,
  type EngineError,
  type Executable,
  float32,
  type HostTensor,
  type HostTensors,
  int32,
  type Key,
  random,
  type State,
  sizeOf,
} from "@millrace/core"
import { Effect, type Scope, Semaphore } from "effect"
import type { GptConfig } from "../gpt.js"
import { cacheSpecs } from "./cache.js"
import { type SamplerConfig, samplerFunctions } from "./sampler.js"

/** A sampler made ready for an engine. It owns its cache; generations on one sampler wait for each other. */
export interface Sampler {
  readonly model: GptConfig
  readonly config: SamplerConfig
  /** One batch: prompts padded on the left, uniform numbers a step and row. */
  readonly batch: (policy: State, batch: PromptBatch) => Effect.Effect<HostTensors, EngineError>
}

interface PromptBatch {
  /** int32  b promptLength */
  readonly tokens: Int32Array
  /** 1 for a real token. b promptLength */
  readonly mask: Float32Array
  /** length b */
  readonly uniform: Float32Array
}

/** Generated texts: a row for each prompt, a column for each generated token. */
export interface Samples {
  /** int32  n length. The end-of-text token, or 0 without one, where `mask` is 0. */
  readonly tokens: HostTensor
  /** 1 until the text has ended, its end-of-text token included. bool  n length */
  readonly mask: HostTensor
  /** Log-probability of each token under the model's own distribution (temperature 1, nothing filtered), in nats; 0 where masked. float32  n length */
  readonly logProb: HostTensor
  /** The same under the distribution that was sampled. float32  n length */
  readonly sampledLogProb: HostTensor
  /** Prompts, padded on the left, and what was generated. int32  n promptLength+length */
  readonly text: HostTensor
  /** Real tokens of `text`. bool  n promptLength+length */
  readonly textMask: HostTensor
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
  const start = rows.map((i) => mask.subarray(i * promptLength, (i + 1) * promptLength).reduce((n, m) => n + m, 0) - 1)
  return {
    mask: (width: number) => float32([b, width], widened(mask, new Float32Array(b * width), 1)),
    text: (width: number) => int32([b, width], widened(tokens, new Int32Array(b * width), 0)),
    start: int32([b], start),
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

/** The prompts without their last token, which the first step reads. */
const prefillInputs = ({ batch: b, promptLength }: SamplerConfig, { tokens, mask }: PromptBatch): HostTensors => {
  const width = promptLength - 1
  const inner = <A extends Float32Array | Int32Array>(from: A, to: A): A => {
    for (let i = 0; i < b; i++) to.set(from.subarray(i * promptLength, i * promptLength + width), i * width)
    return to
  }
  return {
    tokens: int32([b, width], inner(tokens, new Int32Array(b * width))),
    mask: float32([b, width], inner(mask, new Float32Array(b * width))),
  }
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
    const batch = (policy: State, prompts: PromptBatch) =>
      Effect.gen(function* () {
        const state = { policy, cache }
        if (prefill === null) yield* cache.write(empty)
        else yield* prefill.run({ state, inputs: prefillInputs(config, prompts) })
        const inputs = loopInputs(config, prompts)
        return yield* step.loop({
          state,
          steps: config.length,
          inputs: { start: inputs.start, mask: inputs.mask(config.promptLength + config.length - 1) },
          each: inputs.each,
          first: { previous: inputs.previous, alive: inputs.alive },
          carry: { token: "previous", aliveNext: "alive" },
          collect: collected,
        })
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

const checkPrompts = (
  { vocab }: GptConfig,
  { promptLength }: SamplerConfig,
  prompts: ReadonlyArray<ReadonlyArray<number>>,
): Effect.Effect<void, BadLength | BadData> => {
  for (const [i, prompt] of prompts.entries()) {
    const where = `generate > prompt ${i}`
    if (prompt.length === 0) {
      return Effect.fail(
        new BadLength({
          where,
          expected: "a prompt of at least one token",
          received: "an empty prompt",
          fix: "begin with the end-of-text token to generate without a prompt",
        }),
      )
    }
    if (prompt.length > promptLength) {
      return Effect.fail(
        new BadLength({
          where,
          expected: `at most ${promptLength} tokens, for which the sampler was compiled`,
          received: `${prompt.length} tokens`,
          fix: `keep the prompt's last ${promptLength} tokens, or compile the sampler with a larger promptLength`,
        }),
      )
    }
    const bad = prompt.find((id) => !Number.isInteger(id) || id < 0 || id >= vocab)
    if (bad !== undefined) {
      return Effect.fail(
        new BadData({
          where,
          expected: `tokens from 0 to ${vocab - 1}`,
          received: `token ${bad}`,
          fix: "encode the prompt with the tokenizer that the model was trained with",
        }),
      )
    }
  }
  return Effect.void
}

/**
 * A continuation of each prompt. Prompts are padded and batched here; the work and its loop stay in the engine.
 *
 * The token of prompt i at step j is drawn with uniform number i · length + j of the key: it depends on the key, the
 * prompt's place and the step, not on the size of the batches.
 * @param policy   the parameters, under the names that training gives them
 * @param prompts  tokens of each prompt
 * @fails  BadLength  a prompt is empty or longer than the sampler's `promptLength`
 * @fails  BadData    a token is not in the vocabulary
 */
export const generate = (
  sampler: Sampler,
  policy: State,
  prompts: ReadonlyArray<ReadonlyArray<number>>,
  key: Key,
): Effect.Effect<Samples, BadLength | BadData | EngineError> =>
  Effect.gen(function* () {
    yield* checkPrompts(sampler.model, sampler.config, prompts)
    const { batch: b, promptLength: p, length } = sampler.config
    const n = prompts.length
    const uniform = random.uniform(key, [n, length]).data
    const tokens = new Int32Array(n * length)
    const mask = new Uint8Array(n * length)
    const logProb = new Float32Array(n * length)
    const sampledLogProb = new Float32Array(n * length)
    const text = new Int32Array(n * (p + length))
    const textMask = new Uint8Array(n * (p + length))
    for (let from = 0; from < n; from += b) {
      const batch = {
        tokens: new Int32Array(b * p),
        mask: new Float32Array(b * p),
        uniform: new Float32Array(length * b),
      }
      for (let i = 0; i < b; i++) {
        // A batch that is not full repeats its last prompt.
        const at = Math.min(from + i, n - 1)
        const prompt = prompts[at]!
        batch.tokens.set(prompt, (i + 1) * p - prompt.length)
        batch.mask.fill(1, (i + 1) * p - prompt.length, (i + 1) * p)
        for (let j = 0; j < length; j++) batch.uniform[j * b + i] = uniform[at * length + j]!
      }
      const out = yield* sampler.batch(policy, batch)
      for (let i = 0; i < b && from + i < n; i++) {
        const [row, textRow] = [(from + i) * length, (from + i) * (p + length)]
        text.set(batch.tokens.subarray(i * p, (i + 1) * p), textRow)
        textMask.set(batch.mask.subarray(i * p, (i + 1) * p), textRow)
        for (let j = 0; j < length; j++) {
          const at = j * b + i
          tokens[row + j] = out.token!.data[at]!
          mask[row + j] = out.mask!.data[at]!
          logProb[row + j] = out.logProb!.data[at]!
          sampledLogProb[row + j] = out.sampledLogProb!.data[at]!
        }
        text.set(tokens.subarray(row, row + length), textRow + p)
        textMask.set(mask.subarray(row, row + length), textRow + p)
      }
    }
    const bool = (width: number, data: Uint8Array): HostTensor => ({ dtype: "bool", shape: [n, width], data })
    return {
      tokens: int32([n, length], tokens),
      mask: bool(length, mask),
      logProb: float32([n, length], logProb),
      sampledLogProb: float32([n, length], sampledLogProb),
      text: int32([n, p + length], text),
      textMask: bool(p + length, textMask),
    }
  })
