/** The whole variational bound of data, compiled for an engine. */
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
  random,
  type State,
  spec,
  split,
  type TensorFunction,
} from "@millrace/core"
import { Effect, type Scope } from "effect"
import { addNoise } from "./addNoise.js"
import { boundTerm, priorTerm } from "./bound.js"
import type { Denoiser } from "./denoiser.js"
import { reverse } from "./reverse.js"
import { checkRows } from "./rows.js"
import { type DiffusionSamplerConfig, denoiserIn, denoiserSpecs, walkedSchedule } from "./walk.js"

/** What the bound of a batch is made of, in bits for each number of the data. */
export interface DiffusionBound {
  /** Σ of all: at least −log₂ p(x₀) for each number, in the mean over the noise. Length b */
  readonly total: Float64Array
  /** What no network can change: KL(q(x_T | x₀) ‖ N(0, 1)). Length b */
  readonly prior: Float64Array
  /** The term of each step. Length steps, each of length b */
  readonly terms: ReadonlyArray<Float64Array>
}

export type DiffusionBoundConfig = Pick<
  DiffusionSamplerConfig,
  "diffusion" | "spacing" | "clamp" | "batch" | "shape" | "frozen" | "prefix"
>

const stride = 16

/** Step `time` of the bound. */
const boundFunction = (denoiser: Denoiser, config: DiffusionBoundConfig): TensorFunction => {
  const { batch, shape, clamp, prefix = "" } = config
  const { params, conditioning } = denoiserSpecs(denoiser, config)
  const schedule = walkedSchedule({ ...config, method: { kind: "ddpm" } })
  const data = spec("float32", [batch, ...shape])
  return {
    name: "diffusion.bound",
    state: { params },
    inputs: { data, noise: data, time: spec("int32", [batch]), ...conditioning },
    body: (state, inputs) => {
      const time = inputs.time!
      const noisy = addNoise(schedule, inputs.data!, inputs.noise!, time)
      const output = denoiserIn(denoiser, schedule, prefix, state.params!, inputs)(noisy, time)
      const seen = reverse({ ...config.diffusion, schedule }, output, noisy, time, clamp)
      return {
        outputs: {
          term: boundTerm(schedule, inputs.data!, noisy, time, seen),
          prior: priorTerm(schedule, inputs.data!),
        },
      }
    },
  }
}

/**
 * The bound of 8-bit data, one sample of noise a step.
 *
 *   const bound = yield* compileDiffusionBound(denoiser, { diffusion, clamp: 1, batch: 8, shape: [32, 32, 3] })
 *   const { total } = yield* bound(params, images, key)      // bit / number
 * @fails  BadConfig  a spacing that the schedule cannot have
 * @source Ho et al. 2020, eq. 5
 */
export const compileDiffusionBound = (
  denoiser: Denoiser,
  config: DiffusionBoundConfig,
): Effect.Effect<
  (
    params: State,
    /** float32  b …, in [−1, 1] */
    data: HostTensor,
    key: Key,
    conditioning?: HostTensors,
  ) => Effect.Effect<DiffusionBound, EngineError>,
  BadConfig | CompileError,
  Engine | Scope.Scope
> =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const executable = yield* engine.compile(yield* attempt(BadConfig, () => boundFunction(denoiser, config)))
    const { batch, shape } = config
    const { steps } = walkedSchedule({ ...config, method: { kind: "ddpm" } })
    return (params, data, key, conditioning = {}) =>
      Effect.gen(function* () {
        const wrong = checkRows(
          "diffusion.bound",
          { ...denoiser.conditioning, data: spec("float32", shape) },
          { ...conditioning, data },
          batch,
        )
        if (wrong !== null) return yield* wrong
        const terms: Array<Float64Array> = []
        let prior = new Float64Array(batch)
        for (let from = 0; from < steps; from += stride) {
          const count = Math.min(stride, steps - from)
          const time = Int32Array.from({ length: count * batch }, (_, i) => from + Math.floor(i / batch))
          const noise = new Float32Array(count * data.data.length)
          for (let i = 0; i < count; i++) {
            noise.set(random.normal(split(key, from + i), data.shape).data, i * data.data.length)
          }
          const made = yield* executable.loop({
            state: { params },
            steps: count,
            inputs: { ...conditioning, data },
            each: {
              time: { dtype: "int32", shape: [count, batch], data: time },
              noise: float32([count, ...data.shape], noise),
            },
            collect: ["term", "prior"],
            constants: config.frozen === true ? ["params"] : [],
          })
          for (let i = 0; i < count; i++) {
            terms.push(Float64Array.from(made.term!.data.subarray(i * batch, (i + 1) * batch)))
          }
          prior = Float64Array.from(made.prior!.data.subarray(0, batch))
        }
        return { terms, prior, total: prior.map((p, i) => terms.reduce((sum, term) => sum + term[i]!, p)) }
      })
  })
