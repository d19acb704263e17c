/**
 * Steps of diffusion as tensor functions, for an engine's `loop`.
 *   denoise  x_t, its time, noise -> x_{t−1}
 *   invert   x_t, its time        -> x_{t+1}
 */
import {
  BadConfig,
  flatten,
  isParamSpec,
  mapTree,
  type Specs,
  spec,
  type TensorFunction,
  type TensorSpec,
  withPath,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { ddimInverseStep, ddimStep } from "./ddim.js"
import { ddpmStep } from "./ddpm.js"
import type { Denoiser } from "./denoiser.js"
import type { Diffusion } from "./diffusion.js"
import { respace, spacedSteps } from "./respacing.js"
import { reverse } from "./reverse.js"
import type { NoiseSchedule } from "./schedule.js"

/** How samples are drawn, and what a sampler is compiled for. */
export interface DiffusionSamplerConfig {
  /** What the network was trained for. */
  readonly diffusion: Diffusion
  /** Which of its steps are taken: as `spacedSteps` has it, or the steps themselves; by default all. */
  readonly spacing?: string | ReadonlyArray<number>
  /** `eta` of DDIM: 0 is deterministic. */
  readonly method: { readonly kind: "ddpm" } | { readonly kind: "ddim"; readonly eta: number }
  /** The start that the network sees is kept within ±clamp: 1 for images, 10 for Karlo's embeddings. Null leaves it. */
  readonly clamp: number | null
  /** What the noise is multiplied with that a sample begins as; GLIDE's upsampler takes 0.997. */
  readonly temperature?: number
  /** Samples at a time. */
  readonly batch: number
  /** Of one sample. */
  readonly shape: ReadonlyArray<number>
  /** The weights stay the same for many samples: the engine builds them into the program. */
  readonly frozen?: boolean
  /** What the names of the parameters in their state start with: `unet.` for a graph's node `unet`. */
  readonly prefix?: string
}

/** The schedule that is walked. */
export const walkedSchedule = ({ diffusion: { schedule }, spacing }: DiffusionSamplerConfig): NoiseSchedule =>
  spacing === undefined
    ? schedule
    : respace(schedule, typeof spacing === "string" ? spacedSteps(schedule.steps, spacing) : spacing)

/** Whether steps draw noise. */
export const isRandom = ({ method }: DiffusionSamplerConfig): boolean => method.kind === "ddpm" || method.eta > 0

/** @throws BadConfig  every number that makes no sense, at once */
const check = ({ batch, shape, temperature = 1, clamp, method }: DiffusionSamplerConfig): void => {
  const wrong: Array<readonly [expected: string, received: string]> = []
  const size = (name: string, value: number): void => {
    if (!Number.isInteger(value) || value < 1) wrong.push([`${name} a whole number of at least 1`, `${name} ${value}`])
  }
  size("batch", batch)
  for (const side of shape) size("a side of the shape", side)
  if (shape.length === 0) wrong.push(["a shape of at least one axis", "shape []"])
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    wrong.push(["temperature 0 or more", `temperature ${temperature}`])
  if (clamp !== null && !(clamp > 0)) wrong.push(["clamp above 0, or null", `clamp ${clamp}`])
  if (method.kind === "ddim" && !(method.eta >= 0 && method.eta <= 1))
    wrong.push(["eta from 0 to 1", `eta ${method.eta}`])
  if (wrong.length > 0) {
    throw new BadConfig({
      where: "diffusion sampler",
      expected: wrong.map(([expected]) => expected).join("\n"),
      received: wrong.map(([, received]) => received).join("\n"),
      fix: "correct the sampler's config",
    })
  }
}

/** The state and the inputs that a function of a batch and a denoiser has. */
export const denoiserSpecs = (
  denoiser: Denoiser,
  { batch, prefix = "" }: { readonly batch: number; readonly prefix?: string },
): { readonly params: Specs; readonly conditioning: Specs } => {
  const named = Object.entries(flatten(denoiser.params, isParamSpec))
  const batched = ({ dtype, shape }: TensorSpec): TensorSpec => spec(dtype, [batch, ...shape])
  return {
    params: Object.fromEntries(named.map(([name, { shape }]) => [prefix + name, spec("float32", shape)])),
    conditioning: Object.fromEntries(Object.entries(denoiser.conditioning).map(([name, row]) => [name, batched(row)])),
  }
}

/** A denoiser on the parameters and conditions of a call. `time` is one of the schedule's steps. int32 b */
export const denoiserIn = (
  denoiser: Denoiser,
  schedule: NoiseSchedule,
  prefix: string,
  params: Readonly<Record<string, tf.Tensor>>,
  inputs: Readonly<Record<string, tf.Tensor>>,
) => {
  const tree = mapTree(denoiser.params, isParamSpec, (name) => params[prefix + name]!)
  const given = Object.fromEntries(Object.keys(denoiser.conditioning).map((name) => [name, inputs[name]!]))
  return (noisy: tf.Tensor, time: tf.Tensor): tf.Tensor => {
    const told = tf.gather(tf.tensor1d(schedule.times, "int32"), time as tf.Tensor1D) // b
    return withPath(denoiser.name, () => denoiser.apply(tree, noisy, told, given))
  }
}

/**
 * One step.
 *
 * State   `params` the network's, `sample` x: float32 b …, the data as it is
 * Inputs  `time` int32 b, `noise` float32 b … where steps draw some, and the denoiser's conditions
 * @throws BadConfig
 */
export const walkFunction = (
  denoiser: Denoiser,
  config: DiffusionSamplerConfig,
  direction: "denoise" | "invert",
): TensorFunction => {
  check(config)
  const { batch, method, clamp, prefix = "" } = config
  const { params, conditioning } = denoiserSpecs(denoiser, config)
  const diffusion: Diffusion = { ...config.diffusion, schedule: walkedSchedule(config) }
  const { schedule } = diffusion
  const x = spec("float32", [batch, ...config.shape])
  const noisy = direction === "denoise" && isRandom(config)
  return {
    name: `diffusion.${direction}`,
    state: { params, sample: { x } },
    inputs: { time: spec("int32", [batch]), ...(noisy ? { noise: x } : {}), ...conditioning },
    body: (state, inputs) => {
      const [data, time] = [state.sample!.x!, inputs.time!]
      const output = denoiserIn(denoiser, schedule, prefix, state.params!, inputs)(data, time)
      const seen = reverse(diffusion, output, data, time, clamp)
      const next =
        direction === "invert"
          ? ddimInverseStep(schedule, seen.start, data, time)
          : method.kind === "ddpm"
            ? ddpmStep(seen, inputs.noise!, time)
            : ddimStep(schedule, seen.start, data, time, method.eta, inputs.noise ?? null)
      return { outputs: {}, state: { sample: { x: next } } }
    },
  }
}
