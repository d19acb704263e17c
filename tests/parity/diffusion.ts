import {
  addNoise,
  DiffusionConfig,
  ddimInverseStep,
  ddimStep,
  ddpmStep,
  diffusionOf,
  NoiseScheduleConfig,
  noiseSchedule,
  respace,
  reverse,
  spacedSteps,
  velocity,
} from "@millrace/models"
import { Schema } from "effect"
import { parityFunction } from "./parityFunction.js"

const about = { paper: "Ho et al. 2020", figure: "section 2", file: "diffusion/ddpm.ts" } as const

const StepConfig = Schema.Struct({
  method: Schema.Literals(["ddpm", "ddim", "inverse"]),
  eta: Schema.optionalKey(Schema.Finite),
  diffusion: DiffusionConfig,
  spacing: Schema.String,
  clamp: Schema.NullOr(Schema.Finite),
})

export const diffusionForwardParity = parityFunction({
  model: "Diffusion, forward process",
  paper: "Ho et al. 2020",
  figure: "eq. 4",
  file: "diffusion/addNoise.ts",
  fixtures: ["diffusion-forward-linear", "diffusion-forward-cosine"],
  config: NoiseScheduleConfig,
  apply: (config, { data, noise, time }) => {
    const schedule = noiseSchedule(config)
    return {
      noisy: addNoise(schedule, data!, noise!, time!),
      velocity: velocity(schedule, data!, noise!, time!),
    }
  },
})

const steps = (model: string, names: ReadonlyArray<string>, of: { paper: string; figure: string; file: string }) =>
  parityFunction({
    model,
    ...of,
    fixtures: names,
    config: StepConfig,
    apply: ({ method, eta = 0, spacing, clamp, diffusion: given }, { noisy, output, noise, time }) => {
      const trained = diffusionOf(given)
      const diffusion = {
        ...trained,
        schedule: respace(trained.schedule, spacedSteps(trained.schedule.steps, spacing)),
      }
      const seen = reverse(diffusion, output!, noisy!, time!, clamp)
      const { schedule } = diffusion
      if (method === "ddpm") return { next: ddpmStep(seen, noise!, time!) }
      if (method === "inverse") return { next: ddimInverseStep(schedule, seen.start, noisy!, time!) }
      return { next: ddimStep(schedule, seen.start, noisy!, time!, eta, eta > 0 ? noise! : null) }
    },
  })

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, i) => `diffusion-${name}-${i + 1}`)

export const diffusionStepParity = [
  steps("Diffusion, DDPM", numbered("ddpm", 4), about),
  steps("Diffusion, DDIM", numbered("ddim", 4), {
    paper: "Song et al. 2021",
    figure: "eq. 12",
    file: "diffusion/ddim.ts",
  }),
  steps("Diffusion, DDIM inversion", numbered("inverse", 2), {
    paper: "Song et al. 2021",
    figure: "section 4.3",
    file: "diffusion/ddim.ts",
  }),
  steps("Diffusion, unCLIP's steps", numbered("unclip", 2), {
    paper: "Ramesh et al. 2022",
    figure: "appendix C",
    file: "diffusion/respacing.ts",
  }),
]
