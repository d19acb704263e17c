import type { Average } from "@millrace/core"
import fc from "fast-check"
import { expectClose, expectThat } from "./close.js"
import { grid, real, size } from "./examples.js"
import { type Law, law } from "./law.js"

/** The average read after a history of one weight: what it was before the first step, and after each. */
export type Averaging = (config: Average, first: number, history: ReadonlyArray<number>) => number

const config: fc.Arbitrary<Average> = fc.record({
  decay: size(0, 63).map((n) => n / 64),
  start: fc.constantFrom("weights" as const, "zero" as const),
})
const examples = fc.record({ config, first: real(), history: fc.array(real(), { minLength: 1, maxLength: 8 }) })

/** What an exponential moving average obeys. */
export const averageLaws = (averaging: Averaging): ReadonlyArray<Law> => [
  law("weights that never change are their own average", fc.tuple(config, real(), size(1, 30)), ([c, w, n]) => {
    expectClose(averaging(c, w, Array<number>(n).fill(w)), w)
  }),
  law("it is linear in the weights", fc.tuple(examples, grid([9]), real(2)), ([e, other, s]) => {
    const mix = (x: number, i: number): number => x + s * other[i]!
    const apart =
      averaging(e.config, e.first, e.history) +
      s *
        averaging(
          e.config,
          other[8]!,
          e.history.map((_, i) => other[i]!),
        )
    expectClose(averaging(e.config, mix(e.first, 8), e.history.map(mix)), apart)
  }),
  law("it lies within what it averages", examples, (e) => {
    const all = e.config.start === "weights" ? [e.first, ...e.history] : e.history
    const found = averaging(e.config, e.first, e.history)
    expectThat(found >= Math.min(...all) - 1e-5 && found <= Math.max(...all) + 1e-5, () => `${found} of ${all}`)
  }),
  law("begun as zero and corrected it knows nothing of the first weights", fc.tuple(examples, real()), ([e, other]) => {
    const zero = { ...e.config, start: "zero" as const }
    expectClose(averaging(zero, other, e.history), averaging(zero, e.first, e.history))
  }),
  law(
    "a weight counts decay times as much for every step that has passed",
    fc.tuple(examples, size(0, 7)),
    ([e, back]) => {
      const { history } = e
      const i = history.length - 1 - (back % history.length)
      const slope = (at: number): number => {
        const moved = history.map((x, j) => (j === at ? x + 1 : x))
        return averaging(e.config, e.first, moved) - averaging(e.config, e.first, history)
      }
      const last = slope(history.length - 1)
      expectClose(slope(i), last * e.config.decay ** (history.length - 1 - i), { relative: 1e-4, absolute: 1e-5 })
      if (e.config.start === "weights") expectClose(last, 1 - e.config.decay, { relative: 1e-4, absolute: 1e-5 })
    },
  ),
]
