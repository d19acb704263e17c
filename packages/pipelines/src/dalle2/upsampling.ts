/** An upsampler made ready to sample. */
import { Engine, type HostTensor, type Key, type State } from "@millrace/core"
import { compileDiffusionSampler, diffusionOf } from "@millrace/models"
import { Effect } from "effect"
import type { ImageUpsampler } from "../artifacts/imageDecoder.js"
import { renamed } from "../parameters.js"
import { upsamplerDenoiser } from "./objectives.js"
import type { UpsamplerSampling } from "./upsamplerConfig.js"

/** A sampler for any parameters in the engine that have the names that training gives them. */
export const compileUpsampler = (
  { config, diffusion, from, to }: Omit<ImageUpsampler, "params">,
  { steps, batch }: UpsamplerSampling,
) =>
  Effect.map(
    compileDiffusionSampler(upsamplerDenoiser(config, diffusion, from), {
      diffusion: diffusionOf(diffusion),
      spacing: `${Math.min(steps, diffusion.schedule.steps)}`,
      method: { kind: "ddim", eta: 0 },
      clamp: 1,
      batch,
      shape: [to, to, 3],
    }),
    (sampler) => (params: State, small: HostTensor, key: Key) =>
      sampler.sample(params, { count: small.shape[0] ?? 0, conditioning: { small } }, key),
  )

/**
 * A trained upsampler. It lives as long as the scope.
 * @returns  small images, float32 n y x c, [-1,1] -> large ones
 */
export const openUpsampler = (upsampler: ImageUpsampler, sampling: UpsamplerSampling) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const sample = yield* compileUpsampler(upsampler, sampling)
    const params = yield* engine.allocate(renamed(upsampler.params, "", "upsampler."))
    return (small: HostTensor, key: Key) => sample(params, small, key)
  })
