import type { Schedule } from "@millrace/core"
import fc from "fast-check"
import { expectClose, expectThat } from "./close.js"
import { size } from "./examples.js"
import { type Law, law } from "./law.js"

/** The rate of a step, from 0, of a stage of so many steps. */
export type Rate = (schedule: Schedule, step: number, steps: number) => number

const share = size(0, 64).map((n) => n / 64)
const examples = fc.record({
  schedule: fc.record({
    kind: fc.constantFrom("constant" as const, "cosine" as const, "linear" as const),
    peak: size(1, 64).map((n) => n / 64),
    warmup: size(0, 12),
    floor: share,
  }),
  steps: size(16, 60),
})
const falling = examples.filter(({ schedule }) => schedule.kind !== "constant")

/** What a learning-rate schedule obeys. */
export const learningRateLaws = (rate: Rate): ReadonlyArray<Law> => [
  law("the last rate is the floor's share of the peak", falling, ({ schedule, steps }) => {
    expectClose(rate(schedule, steps - 1, steps), schedule.floor * schedule.peak)
  }),
  law("warm-up rises in equal parts from the first step on, to the peak", examples, ({ schedule, steps }) => {
    for (let i = 0; i < schedule.warmup; i++) {
      expectClose(rate(schedule, i, steps), (schedule.peak * (i + 1)) / schedule.warmup)
    }
  }),
  law("what follows the warm-up begins at the peak, without a jump", examples, ({ schedule, steps }) => {
    expectClose(rate(schedule, schedule.warmup, steps), schedule.peak)
  }),
  law("halfway down it is halfway between the peak and the floor", falling, ({ schedule }) => {
    const steps = schedule.warmup + 21
    expectClose(rate(schedule, schedule.warmup + 10, steps), (schedule.peak * (1 + schedule.floor)) / 2)
  }),
  law("cosine leaves and reaches its ends level, linear falls by equal parts", falling, ({ schedule, steps }) => {
    const at = (i: number) => rate(schedule, i, steps)
    const [first, span] = [schedule.warmup, steps - 1 - schedule.warmup]
    const even = ((1 - schedule.floor) * schedule.peak) / span
    const drops = Array.from({ length: span }, (_, i) => at(first + i) - at(first + i + 1))
    if (schedule.kind === "linear")
      expectClose(
        drops,
        drops.map(() => even),
      )
    else {
      // 1 − cos x < x² / 2: within π / 2 · 1 / span of the mean drop.
      for (const drop of [drops[0]!, drops.at(-1)!]) {
        expectThat(drop <= even * (Math.PI ** 2 / 4 / span) + 1e-6, () => `${drop}, of ${even} in the mean`)
      }
    }
  }),
  law("it is proportional to the peak", examples, ({ schedule, steps }) => {
    const half = { ...schedule, peak: schedule.peak / 2 }
    for (let i = 0; i < steps; i++) expectClose(rate(half, i, steps), rate(schedule, i, steps) / 2)
  }),
]
