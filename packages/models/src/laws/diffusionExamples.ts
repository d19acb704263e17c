/** Schedules, times and data that the laws of diffusion are tried on. */
import { float, grid, ids, real, size } from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { type NoiseSchedule, type NoiseScheduleConfig, noiseSchedule } from "../diffusion/schedule.js"

export const scheduleConfigs: fc.Arbitrary<NoiseScheduleConfig> = fc.oneof(
  size(21, 120).map((steps) => ({ kind: "linear" as const, steps })),
  size(2, 120).map((steps) => ({ kind: "cosine" as const, steps })),
)

/** Rows of data and noise, each at a time of a schedule. */
export interface NoisyExample {
  readonly schedule: NoiseSchedule
  readonly b: number
  readonly d: number
  /** Length b. */
  readonly time: ReadonlyArray<number>
  /** b d, row-major. */
  readonly start: ReadonlyArray<number>
  readonly noise: ReadonlyArray<number>
  readonly other: ReadonlyArray<number>
}

/**
 * Rows at times of their own.
 * @param within  the ᾱ that times may have: at its ends one prediction hardly says anything of another
 */
export const noisyExamples = (within: readonly [number, number] = [0.02, 0.98]): fc.Arbitrary<NoisyExample> =>
  fc
    .tuple(
      fc.oneof(
        size(21, 80).map((steps) => ({ kind: "linear" as const, steps })),
        size(12, 80).map((steps) => ({ kind: "cosine" as const, steps })),
      ),
      size(1, 3),
      size(1, 4),
    )
    .chain(([config, b, d]) => {
      const schedule = noiseSchedule(config)
      const times = [...schedule.alphaBar.keys()].filter((t) => {
        const left = schedule.alphaBar[t]!
        return left >= within[0] && left <= within[1]
      })
      return fc.record({
        schedule: fc.constant(schedule),
        b: fc.constant(b),
        d: fc.constant(d),
        time: fc.array(fc.constantFrom(...times), { minLength: b, maxLength: b }),
        start: grid([b, d], real(1)),
        noise: grid([b, d], real(2)),
        other: grid([b, d], real(2)),
      })
    })

/** x_t in float64. */
export const noisyOf = ({ schedule, d, time, start, noise }: NoisyExample): ReadonlyArray<number> =>
  start.map((x, i) => {
    const left = schedule.alphaBar[time[Math.floor(i / d)]!]!
    return Math.sqrt(left) * x + Math.sqrt(1 - left) * noise[i]!
  })

/** √ᾱ ε − √(1 − ᾱ) x₀ in float64. */
export const velocityOf = ({ schedule, d, time, start, noise }: NoisyExample): ReadonlyArray<number> =>
  start.map((x, i) => {
    const left = schedule.alphaBar[time[Math.floor(i / d)]!]!
    return Math.sqrt(left) * noise[i]! - Math.sqrt(1 - left) * x
  })

/** Numbers of the example's shape as a tensor, and its times as one. */
export const rowsOf = ({ b, d }: NoisyExample, flat: ReadonlyArray<number>): tf.Tensor => float([b, d], flat)
export const timesOf = ({ b, time }: NoisyExample): tf.Tensor => ids([b], time)

/** A number of the schedule for each entry of an example. */
export const eachOf = ({ d, time, start }: NoisyExample, numbers: Float64Array): ReadonlyArray<number> =>
  start.map((_, i) => numbers[time[Math.floor(i / d)]!]!)
