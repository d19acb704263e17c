/**
 * The noise schedule: how much of the data is left after each step of noise, and what follows from it, in float64.
 *   β → ᾱ_t = Π (1 − β) → mean and variance of q(x_{t−1} | x_t, x₀)
 */
import { BadConfig } from "@millrace/core"
import { Schema } from "effect"

/** A published schedule, as data. */
export const NoiseScheduleConfig = Schema.Struct({
  kind: Schema.Literals(["linear", "cosine"]).annotate({
    description:
      "linear: Ho et al. 2020, stretched to the number of steps; unCLIP's second upsampler. cosine: Nichol and Dhariwal 2021; all else of unCLIP.",
  }),
  /** Steps that a network is trained on. */
  steps: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
})
export type NoiseScheduleConfig = typeof NoiseScheduleConfig.Type

/** Numbers of each step; all arrays have one length. Step 0 is the least noisy one. */
export interface NoiseSchedule {
  readonly steps: number
  /** The time that a network is told at each step: the step of the schedule that it was trained on. */
  readonly times: Int32Array
  /** β_t, the variance that a step adds. */
  readonly beta: Float64Array
  /** ᾱ_t, the share of the data's variance that is left after step t. */
  readonly alphaBar: Float64Array
  /** ᾱ of the step before; 1 for the first. */
  readonly alphaBarBefore: Float64Array
  /** ᾱ of the step after; 0 for the last. */
  readonly alphaBarAfter: Float64Array
  /** β̃_t, the variance of q(x_{t−1} | x_t, x₀); 0 for the first. */
  readonly posteriorVariance: Float64Array
  /** ln β̃_t, with the second step's for the first, whose own is −∞. A schedule of one step has ln β. */
  readonly posteriorLogVariance: Float64Array
}

/**
 * A schedule from its β, for example of a paper that is not named here.
 * @param times  what a network is told at each step; by default the step
 * @fails BadConfig  a β that is not within (0, 1), or as many times as there are not steps
 */
export const noiseScheduleOf = (betas: ArrayLike<number>, times?: ArrayLike<number>): NoiseSchedule => {
  const beta = Float64Array.from(betas)
  const bad = beta.findIndex((b) => !(b > 0 && b < 1))
  if (beta.length === 0 || bad >= 0 || (times !== undefined && times.length !== beta.length)) {
    throw new BadConfig({
      where: "noise schedule",
      expected: "at least one step, a β above 0 and below 1 for each, and one time for each",
      received: `${beta.length} steps, ${bad < 0 ? "" : `β = ${beta[bad]} at step ${bad}, `}${times?.length ?? beta.length} times`,
      fix: "take more steps: the linear schedule needs at least 21",
    })
  }
  let left = 1
  const alphaBar = beta.map((b) => {
    left *= 1 - b
    return left
  })
  const alphaBarBefore = Float64Array.from(beta, (_, t) => (t === 0 ? 1 : alphaBar[t - 1]!))
  const posteriorVariance = beta.map((b, t) => (b * (1 - alphaBarBefore[t]!)) / (1 - alphaBar[t]!))
  return {
    steps: beta.length,
    times: Int32Array.from(times ?? beta.map((_, t) => t)),
    beta,
    alphaBar,
    alphaBarBefore,
    alphaBarAfter: Float64Array.from(beta, (_, t) => alphaBar[t + 1] ?? 0),
    posteriorVariance,
    posteriorLogVariance: posteriorVariance.map((_, t) => Math.log(posteriorVariance[Math.max(t, 1)] ?? beta[0]!)),
  }
}

const betaOf: Readonly<Record<NoiseScheduleConfig["kind"], (step: number, steps: number) => number>> = {
  linear: (step, steps) => (1000 / steps) * (1e-4 + (2e-2 - 1e-4) * (steps === 1 ? 0 : step / (steps - 1))),
  cosine: (step, steps) => {
    const left = (t: number): number => Math.cos(((t / steps + 0.008) / 1.008) * (Math.PI / 2)) ** 2
    return Math.min(1 - left(step + 1) / left(step), 0.999)
  },
}

/**
 * A published schedule: linear β from 10⁻⁴ to 2·10⁻², times 1000 / steps; or ᾱ as a squared cosine, with β at most 0.999.
 * @fails BadConfig  fewer steps than the linear schedule can have: its last β would be 1 or more
 * @source Ho et al. 2020, section 4; Nichol and Dhariwal 2021, eq. 17
 */
export const noiseSchedule = ({ kind, steps }: NoiseScheduleConfig): NoiseSchedule =>
  noiseScheduleOf(Float64Array.from({ length: steps }, (_, step) => betaOf[kind](step, steps)))
