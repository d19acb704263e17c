/** What a network was trained for: the schedule of its noise, and the meaning of its output. */
import { Schema } from "effect"
import { type Parametrisation, parametrisations } from "./parametrisation.js"
import { type NoiseSchedule, NoiseScheduleConfig, noiseSchedule } from "./schedule.js"
import { type Variance, variances } from "./variance.js"

export const DiffusionConfig = Schema.Struct({
  schedule: NoiseScheduleConfig,
  parametrisation: Schema.Literals(parametrisations).annotate({
    description:
      "What the network predicts. noise: Ho et al. 2020, GLIDE, unCLIP's decoder. start: unCLIP's prior. velocity: Salimans and Ho 2022.",
  }),
  variance: Schema.Literals(variances).annotate({
    description:
      "learned-range: Nichol and Dhariwal 2021, GLIDE, unCLIP's decoder; the output has twice the data's channels. fixed-small: Karlo's prior. fixed-large: Ho et al. 2020.",
  }),
})
export type DiffusionConfig = typeof DiffusionConfig.Type

export interface Diffusion {
  readonly schedule: NoiseSchedule
  readonly parametrisation: Parametrisation
  readonly variance: Variance
}

/** @fails BadConfig  a schedule that cannot be */
export const diffusionOf = ({ schedule, ...meaning }: DiffusionConfig): Diffusion => ({
  schedule: noiseSchedule(schedule),
  ...meaning,
})
