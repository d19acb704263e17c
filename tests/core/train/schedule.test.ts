import "../../laws/backend.js"
import { AdamW, learningRate, Schedule } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Exit, Schema } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"
import { referenceRate } from "./reference.js"

const rates = (schedule: Schedule, steps: number): ReadonlyArray<number> =>
  tf.tidy(() => Array.from({ length: steps }, (_, i) => learningRate(schedule, tf.scalar(i), steps).dataSync()[0]!))

const schedules = fc.record({
  kind: fc.constantFrom("constant" as const, "cosine" as const, "linear" as const),
  peak: fc.double({ min: 1e-5, max: 1, noNaN: true }),
  warmup: fc.nat(12),
  floor: fc.double({ min: 0, max: 1, noNaN: true }),
})
const lengths = fc.integer({ min: 2, max: 40 })

test("every rate equals the float64 formula", () => {
  fc.assert(
    fc.property(schedules, lengths, (schedule, steps) => {
      for (const [i, rate] of rates(schedule, steps).entries()) {
        expect(Math.abs(rate - referenceRate(schedule, i, steps)) / schedule.peak).toBeLessThanOrEqual(1e-6)
      }
    }),
  )
})

test("a rate never exceeds the peak, never falls while it warms up and never rises after", () => {
  fc.assert(
    fc.property(schedules, lengths, (schedule, steps) => {
      const all = rates(schedule, steps)
      const slack = schedule.peak * 1e-6
      for (const [i, rate] of all.entries()) {
        expect(rate).toBeLessThanOrEqual(schedule.peak + slack)
        expect(rate).toBeGreaterThan(0 - slack)
        const next = all[i + 1]
        if (next === undefined) continue
        if (i + 1 < schedule.warmup) expect(next).toBeGreaterThan(rate)
        else if (i + 1 > schedule.warmup) expect(next).toBeLessThanOrEqual(rate + slack)
      }
    }),
  )
})

test("warm-up starts at peak / warm-up, reaches the peak at its last step, and the fall begins there without a jump", () => {
  for (const kind of ["constant", "cosine", "linear"] as const) {
    const all = rates({ kind, peak: 0.5, warmup: 5, floor: 0.1 }, 105)
    expect(all[0]).toBeCloseTo(0.1, 6)
    expect(all[4]).toBeCloseTo(0.5, 6)
    expect(all[5]).toBeCloseTo(0.5, 6)
    const jumps = all.slice(5).map((rate, i) => Math.abs(rate - all[i + 4]!))
    expect(Math.max(...jumps)).toBeLessThan(0.01)
  }
})

test("without a warm-up the first rate is the peak; cosine and linear end at a tenth of it, halfway down halfway through", () => {
  for (const kind of ["cosine", "linear"] as const) {
    const all = rates({ kind, peak: 0.02, warmup: 0, floor: 0.1 }, 101)
    expect(all[0]).toBeCloseTo(0.02, 7)
    expect(all[50]).toBeCloseTo(0.011, 7)
    expect(all[100]).toBeCloseTo(0.002, 7)
  }
})

test("a stage of one step, and a warm-up longer than the stage, give rates that are numbers", () => {
  expect(rates({ kind: "cosine", peak: 1, warmup: 0, floor: 0.1 }, 1)).toEqual([1])
  expect(rates({ kind: "cosine", peak: 1, warmup: 10, floor: 0.1 }, 2)).toEqual([
    expect.closeTo(0.1, 6),
    expect.closeTo(0.2, 6),
  ])
})

test.each([
  [Schedule, { kind: "cosine", peak: -1, warmup: 0, floor: 0.1 }],
  [Schedule, { kind: "cosine", peak: 1, warmup: -1, floor: 0.1 }],
  [Schedule, { kind: "cosine", peak: 1, warmup: 0, floor: 1.5 }],
  [Schedule, { kind: "sine", peak: 1, warmup: 0, floor: 0 }],
  [AdamW, { beta1: 1, beta2: 0.95, epsilon: 1e-8, weightDecay: 0 }],
  [AdamW, { beta1: 0.9, beta2: 0.95, epsilon: 0, weightDecay: 0 }],
  [AdamW, { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: -1 }],
])("a setting that makes no sense is refused: %#", (schema, value) => {
  expect(Exit.isFailure(Schema.decodeUnknownExit(schema as Schema.Codec<unknown>)(value))).toBe(true)
})
