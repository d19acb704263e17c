import { expectClose, expectSame, expectThat, type Law, law, size } from "@millrace/core/laws"
import type { NoiseSchedule, NoiseScheduleConfig } from "../diffusion/schedule.js"
import { scheduleConfigs } from "./diffusionExamples.js"

/** A config to the β of all steps and what follows from them. */
export type NoiseScheduleOf = (config: NoiseScheduleConfig) => NoiseSchedule

const float64 = { relative: 1e-12, absolute: 1e-14 }

/** The cosine curve of Nichol and Dhariwal 2021, eq. 17. */
const curve = (share: number): number => Math.cos(((share + 0.008) / 1.008) * (Math.PI / 2)) ** 2

/** What a schedule obeys, and the two published ones. */
export const scheduleLaws = (make: NoiseScheduleOf): ReadonlyArray<Law> => [
  law("ᾱ falls strictly, within (0, 1)", scheduleConfigs, (config) => {
    const { alphaBar, steps } = make(config)
    expectThat(alphaBar.length === steps && steps === config.steps, () => `${alphaBar.length} of ${config.steps}`)
    alphaBar.forEach((left, t) => {
      expectThat(left > 0 && left < (alphaBar[t - 1] ?? 1), () => `ᾱ = ${left} at step ${t}`)
    })
  }),
  law(
    "ᾱ is the product of 1 − β, and its neighbours are 1 before the first and 0 after the last",
    scheduleConfigs,
    (config) => {
      const { beta, alphaBar, alphaBarBefore, alphaBarAfter } = make(config)
      let product = 1
      beta.forEach((b, t) => {
        expectSame(alphaBarBefore[t]!, t === 0 ? 1 : alphaBar[t - 1]!)
        expectSame(alphaBarAfter[t]!, t === beta.length - 1 ? 0 : alphaBar[t + 1]!)
        product *= 1 - b
        expectClose(alphaBar[t]!, product, float64)
      })
    },
  ),
  law("0 ≤ β̃ ≤ β, and β̃ is 0 at the first step alone", scheduleConfigs, (config) => {
    const { beta, posteriorVariance } = make(config)
    posteriorVariance.forEach((variance, t) => {
      expectThat(variance <= beta[t]!, () => `${variance} at step ${t}, above ${beta[t]}`)
      expectThat(t === 0 ? variance === 0 : variance > 0, () => `${variance} at step ${t}`)
    })
  }),
  law("β̃ is what is left of the two variances that x_{t−1} has, given x_t and given x₀", scheduleConfigs, (config) => {
    const { beta, alphaBarBefore, posteriorVariance } = make(config)
    posteriorVariance.forEach((variance, t) => {
      if (t > 0)
        expectClose(1 / variance, (1 - beta[t]!) / beta[t]! + 1 / (1 - alphaBarBefore[t]!), {
          relative: 1e-9,
          absolute: 0,
        })
    })
  }),
  law("ln β̃ is finite: the first step has the second's", scheduleConfigs, (config) => {
    const { posteriorVariance, posteriorLogVariance } = make(config)
    posteriorLogVariance.forEach((log, t) => {
      expectClose(log, Math.log(posteriorVariance[Math.max(t, 1)]!), float64)
    })
  }),
  law("a network is told the step itself", scheduleConfigs, (config) => {
    expectSame(
      [...make(config).times],
      Array.from({ length: config.steps }, (_, t) => t),
    )
  }),
  law("linear β lie evenly from 0.1 to 20 divided by the steps", size(21, 200), (steps) => {
    const { beta } = make({ kind: "linear", steps })
    expectClose(
      [...beta],
      Array.from({ length: steps }, (_, t) => (0.1 + (19.9 * t) / (steps - 1)) / steps),
      float64,
    )
  }),
  law("cosine ᾱ is the squared cosine, and β at most 0.999", size(2, 200), (steps) => {
    const { alphaBar, beta } = make({ kind: "cosine", steps })
    beta.forEach((b, t) => {
      expectThat(b <= 0.999, () => `β = ${b} at step ${t}`)
      if (b < 0.999) expectClose(alphaBar[t]!, curve((t + 1) / steps) / curve(0), float64)
    })
  }),
]
