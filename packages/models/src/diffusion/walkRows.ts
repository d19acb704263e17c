/** Walks of any number of rows through a schedule, batch by batch: what sampling and inversion have in common. */
import {
  attempt,
  BadConfig,
  Engine,
  float32,
  type HostTensor,
  type HostTensors,
  type ShapeMismatch,
  type State,
  sizeOf,
} from "@millrace/core"
import { Effect, Semaphore } from "effect"
import type { Denoiser } from "./denoiser.js"
import { checkRows, rowBatches, takeRows } from "./rows.js"
import { type DiffusionSamplerConfig, isRandom, walkedSchedule, walkFunction } from "./walk.js"

/** Steps in one call of the engine: so many steps' noise is made ahead, and so often progress is told. */
const stride = 16

/** How far a batch of samples has come. */
export interface DiffusionProgress {
  /** The first sample of the batch. */
  readonly sample: number
  readonly step: number
  readonly steps: number
}

/** Rows to walk. */
export interface WalkedRows {
  readonly count: number
  /** A row for each sample, under the names of the denoiser's conditions. */
  readonly conditioning?: HostTensors
  /** Told every 16 steps and at the end of each batch. */
  readonly progress?: (progress: DiffusionProgress) => Effect.Effect<void>
}

/** What a batch of these rows begins as, and the noise of a step; a batch that is not full repeats its last row. */
export interface RowsNoise {
  readonly first: (rows: ReadonlyArray<number>) => Float32Array
  readonly step?: (rows: ReadonlyArray<number>, step: number) => Float32Array
}

/**
 * A compiled walk. It owns the data on its way, so one walk waits for another.
 * @fails  BadConfig  a number that makes no sense, a spacing that the schedule cannot have
 */
export const compileWalk = (denoiser: Denoiser, config: DiffusionSamplerConfig, direction: "denoise" | "invert") =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const { batch, shape } = config
    const fn = yield* attempt(BadConfig, () => walkFunction(denoiser, config, direction))
    const executable = yield* engine.compile(fn)
    const size = sizeOf(shape)
    const x = yield* engine.allocate({ x: float32([batch, ...shape], new Float32Array(batch * size)) })
    const one = yield* Semaphore.make(1)
    const { steps } = walkedSchedule(config)
    const rising = Array.from({ length: steps }, (_, i) => i)
    const order = direction === "denoise" ? rising.toReversed() : rising

    /** One batch, from its first state to its last. */
    const walk = (
      params: State,
      first: Float32Array,
      conditioning: HostTensors,
      noiseAt: ((step: number) => Float32Array) | undefined,
      told: (step: number) => Effect.Effect<void>,
    ) =>
      Effect.gen(function* () {
        yield* x.write({ x: float32([batch, ...shape], first) })
        for (let from = 0; from < steps; from += stride) {
          const now = order.slice(from, from + stride)
          const time = Int32Array.from({ length: now.length * batch }, (_, i) => now[Math.floor(i / batch)]!)
          const noise = new Float32Array(noiseAt === undefined ? 0 : now.length * batch * size)
          if (noiseAt !== undefined) for (const [i, step] of now.entries()) noise.set(noiseAt(step), i * batch * size)
          yield* executable.loop({
            state: { params, sample: x },
            steps: now.length,
            inputs: conditioning,
            each: {
              time: { dtype: "int32", shape: [now.length, batch], data: time },
              ...(noiseAt === undefined ? {} : { noise: float32([now.length, batch, ...shape], noise) }),
            },
            collect: [],
            constants: config.frozen === true ? ["params"] : [],
          })
          yield* told(from + now.length)
        }
        return (yield* x.read()).x!.data
      })

    return (params: State, { count, conditioning = {}, progress }: WalkedRows, noise: RowsNoise) =>
      Effect.gen(function* () {
        const wrong: ShapeMismatch | null = checkRows(fn.name, denoiser.conditioning, conditioning, count)
        if (wrong !== null) return yield* wrong
        const draws = direction === "denoise" && isRandom(config) ? noise.step : undefined
        const out = new Float32Array(count * size)
        for (const rows of rowBatches(count, batch)) {
          const from = rows[0]!
          const given = Object.fromEntries(
            Object.entries(conditioning).map(([name, tensor]) => [name, takeRows(tensor, rows)]),
          )
          const made = yield* walk(
            params,
            noise.first(rows),
            given,
            draws === undefined ? undefined : (step) => draws(rows, step),
            (step) => progress?.({ sample: from, step, steps }) ?? Effect.void,
          )
          out.set(made.subarray(0, Math.min(batch, count - from) * size), from * size)
        }
        const result: HostTensor = float32([count, ...shape], out)
        return result
      }).pipe(one.withPermit)
  })
