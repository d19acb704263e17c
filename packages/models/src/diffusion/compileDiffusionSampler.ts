/** Diffusion samplers compiled for an engine: every step runs inside of it. */
import {
  type BadConfig,
  type CompileError,
  type Engine,
  type EngineError,
  type HostTensor,
  type Key,
  random,
  type State,
  sizeOf,
  spec,
  split,
} from "@millrace/core"
import { Effect, type Scope } from "effect"
import type { Denoiser } from "./denoiser.js"
import { checkRows, takeRows } from "./rows.js"
import type { DiffusionSamplerConfig } from "./walk.js"
import { compileWalk, type WalkedRows } from "./walkRows.js"

/** What is sampled. */
export interface DiffusionSamples extends WalkedRows {
  /** What the samples begin as, in place of noise from the key: such as what an inversion gave. float32  n … */
  readonly start?: HostTensor
}

/** A sampler made ready for an engine. It owns the data on its way; calls wait for each other. */
export interface DiffusionSampler {
  readonly config: DiffusionSamplerConfig
  /**
   * Samples. Sample i is a function of the parameters, its conditions, the key and i: not of the size of the batches.
   * @returns  float32  n …
   */
  readonly sample: (params: State, samples: DiffusionSamples, key: Key) => Effect.Effect<HostTensor, EngineError>
}

/** A normal draw for each row under a name: row i's own, whatever batch it is in. */
const drawRows = (
  key: Key,
  rows: ReadonlyArray<number>,
  name: string | number,
  shape: ReadonlyArray<number>,
): Float32Array => {
  const size = sizeOf(shape)
  const data = new Float32Array(rows.length * size)
  for (const [i, row] of rows.entries()) data.set(random.normal(split(split(key, row), name), shape).data, i * size)
  return data
}

/**
 * A sampler, compiled once for any number of samples.
 *
 *   const sampler = yield* compileDiffusionSampler(guided(denoiser, 3), {
 *     diffusion, spacing: "ddim25", method: { kind: "ddim", eta: 0 }, clamp: 1, batch: 4, shape: [64, 64, 3],
 *   })
 *   const images = yield* sampler.sample(params, { count: 16, conditioning }, key)
 * @fails  BadConfig  a number that makes no sense, a spacing that the schedule cannot have
 */
export const compileDiffusionSampler = (
  denoiser: Denoiser,
  config: DiffusionSamplerConfig,
): Effect.Effect<DiffusionSampler, BadConfig | CompileError, Engine | Scope.Scope> =>
  Effect.map(compileWalk(denoiser, config, "denoise"), (walk) => ({
    config,
    sample: (params, { start, ...rows }, key) => {
      const { shape, temperature = 1 } = config
      const given = start === undefined ? {} : { start }
      const wrong = checkRows(
        "diffusion.sample",
        start === undefined ? {} : { start: spec("float32", shape) },
        given,
        rows.count,
      )
      if (wrong !== null) return Effect.fail(wrong)
      return walk(params, rows, {
        first: (at) =>
          start === undefined
            ? drawRows(key, at, "start", shape).map((z) => z * temperature)
            : Float32Array.from(takeRows(start, at).data),
        step: (at, step) => drawRows(key, at, step, shape),
      })
    },
  }))
