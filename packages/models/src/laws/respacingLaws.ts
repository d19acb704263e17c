import { expectClose, expectSame, expectThat, type Law, law, size } from "@millrace/core/laws"
import fc from "fast-check"
import type { NoiseSchedule } from "../diffusion/schedule.js"
import { scheduleConfigs } from "./diffusionExamples.js"

/** Which steps stay, by the name of a spacing, and the schedule that has them alone. */
export interface RespacingOf {
  readonly spaced: (steps: number, spacing: string) => ReadonlyArray<number>
  readonly respace: (schedule: NoiseSchedule, kept: ReadonlyArray<number>) => NoiseSchedule
}

/** Steps and how many of each section of them stay. */
const sections = fc
  .array(size(1, 20), { minLength: 1, maxLength: 6 })
  .chain((counts) => size(Math.max(...counts) * counts.length, 400).map((steps) => ({ steps, counts })))

const float64 = { relative: 1e-9, absolute: 1e-15 }

/** What respacing obeys; `make` gives the schedule that it is tried on. */
export const respacingLaws = (
  { spaced, respace }: RespacingOf,
  make: (config: { readonly kind: "linear" | "cosine"; readonly steps: number }) => NoiseSchedule,
): ReadonlyArray<Law> => {
  const kept = scheduleConfigs.chain((config) =>
    fc
      .subarray(
        Array.from({ length: config.steps }, (_, t) => t),
        { minLength: 1 },
      )
      .map((steps) => ({ schedule: make(config), steps })),
  )
  return [
    law("as many steps stay as were asked for, rising, each within its section", sections, ({ steps, counts }) => {
      const found = spaced(steps, counts.join(","))
      expectSame(
        found.length,
        counts.reduce((a, b) => a + b, 0),
      )
      found.forEach((s, i) => {
        expectThat(s > (found[i - 1] ?? -1) && s < steps, () => `${found}`)
      })
      let [from, at] = [0, 0]
      counts.forEach((count, i) => {
        const length = Math.floor(steps / counts.length) + (i < steps % counts.length ? 1 : 0)
        expectSame(found[at]!, from)
        if (count > 1) expectSame(found[at + count - 1]!, from + length - 1)
        expectThat(
          found.slice(at, at + count).every((s) => s >= from && s < from + length),
          () => `${found}`,
        )
        from += length
        at += count
      })
    }),
    law("the steps of a section lie evenly, to half a step", sections, ({ steps, counts: [count] }) => {
      if (count! < 2) return
      spaced(steps, `${count}`).forEach((s, i) => {
        const exact = (i * (steps - 1)) / (count! - 1)
        expectThat(Math.abs(s - exact) <= 0.5 + 1e-9, () => `${s} for ${exact}`)
      })
    }),
    law("ddim keeps every k-th step from the first", fc.tuple(size(1, 400), size(1, 400)), ([steps, stride]) => {
      const count = Math.ceil(steps / stride)
      const found = spaced(steps, `ddim${count}`)
      expectSame(found.length, count)
      expectSame(found[0]!, 0)
      const gap = found[1] ?? 0
      found.forEach((s, i) => {
        expectSame(s, i * gap)
      })
    }),
    law("a kept step's ᾱ stays what it was, and its network is told the time it was", kept, ({ schedule, steps }) => {
      const after = respace(schedule, steps)
      expectClose(
        [...after.alphaBar],
        steps.map((s) => schedule.alphaBar[s]!),
        float64,
      )
      expectSame([...after.times], steps)
    }),
    law("keeping all changes nothing", scheduleConfigs, (config) => {
      const schedule = make(config)
      const after = respace(schedule, [...schedule.times])
      expectClose([...after.beta], [...schedule.beta], float64)
      expectClose([...after.posteriorVariance], [...schedule.posteriorVariance], { relative: 1e-6, absolute: 1e-12 })
    }),
    law("respacing twice is respacing once by what is left", kept, ({ schedule, steps }) => {
      const some = [...steps.keys()].filter((i) => i % 2 === 0)
      const [twice, once] = [
        respace(respace(schedule, steps), some),
        respace(
          schedule,
          some.map((i) => steps[i]!),
        ),
      ]
      expectClose([...twice.beta], [...once.beta], float64)
      expectSame([...twice.times], [...once.times])
    }),
  ]
}
