import { expectClose, expectSame, expectThat, type Law, law, real } from "@millrace/core/laws"
import fc from "fast-check"
import type { CosineRamp } from "../cosineRamp.js"

/** A schedule and an update to a value. */
export type RampOf = (ramp: CosineRamp, update: number) => number

const ramps = fc
  .record({ from: real(8), to: real(8), updates: fc.integer({ min: 2, max: 2_000_000 }) })
  .filter(({ from, to }) => from !== to)
const at = ramps.chain((ramp) => fc.tuple(fc.constant(ramp), fc.nat(ramp.updates)))

/**
 * What a schedule along half a cosine obeys.
 * @source Ramesh et al. 2021, appendix A.2
 */
export const cosineRampLaws = (value: RampOf): ReadonlyArray<Law> => [
  law("it begins and ends exactly at its ends, and stays there", ramps, (ramp) => {
    const { from, to, updates } = ramp
    expectSame([value(ramp, 0), value(ramp, updates), value(ramp, 2 * updates)], [from, to, to])
    expectSame(value(ramp, -1), from)
  }),
  law("it never turns back", at, ([ramp, update]) => {
    const [now, next] = [value(ramp, update), value(ramp, update + 1)]
    const along = Math.sign(ramp.to - ramp.from)
    expectThat((next - now) * along >= -1e-12, () => `${now}, then ${next}`)
  }),
  law("what lies before the middle mirrors what lies after it", at, ([ramp, update]) => {
    expectClose(value(ramp, update) + value(ramp, ramp.updates - update), ramp.from + ramp.to)
  }),
  law("it starts and arrives slowly: a tenth of the way takes it a fortieth", ramps, (given) => {
    const ramp = { ...given, updates: 10 * given.updates }
    const moved = (update: number) => (value(ramp, update) - ramp.from) / (ramp.to - ramp.from)
    // (1 − cos(π / 10)) / 2
    expectClose([moved(ramp.updates / 10), 1 - moved((9 * ramp.updates) / 10)], [0.024472, 0.024472], {
      absolute: 1e-5,
    })
  }),
  law("its value at an update does not depend on the updates asked for before", at, ([ramp, update]) => {
    const alone = value(ramp, update)
    value(ramp, Math.max(0, update - 1))
    expectSame(value(ramp, update), alone)
  }),
]
