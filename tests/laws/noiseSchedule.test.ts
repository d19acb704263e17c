import { BadConfig, keyFromSeed, random } from "@millrace/core"
import { addNoise, type NoiseSchedule, noiseSchedule, noiseScheduleOf } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { expectClose, values } from "./close.js"
import { eachOf, noisyExamples, noisyOf, rowsOf, timesOf } from "./diffusionExamples.js"
import { broken, law, verify } from "./law.js"
import { type MakeSchedule, scheduleLaws } from "./scheduleLaws.js"

verify("noiseSchedule", scheduleLaws(noiseSchedule))

test("the schedules of 1,000 steps are those of their papers", () => {
  const linear = noiseSchedule({ kind: "linear", steps: 1000 })
  expectClose([linear.beta[0]!, linear.beta[999]!], [1e-4, 2e-2], { relative: 1e-12, absolute: 0 })
  // Ho et al. 2020, section 4: L_T is about 10⁻⁵ bit a number, so nearly nothing is left.
  expect(linear.alphaBar[999]).toBeLessThan(5e-5)
  const cosine = noiseSchedule({ kind: "cosine", steps: 1000 })
  expect(cosine.beta[999]).toBe(0.999)
  expect(cosine.beta[998]).toBeLessThan(0.999)
})

test("a β of 1 or more is refused, and with it a linear schedule of less than 21 steps", () => {
  expect(() => noiseSchedule({ kind: "linear", steps: 20 })).toThrow(BadConfig)
  expect(() => noiseSchedule({ kind: "linear", steps: 20 })).toThrow("at least 21")
  for (const betas of [[], [0], [0.1, 1], [0.1, Number.NaN]]) expect(() => noiseScheduleOf(betas)).toThrow(BadConfig)
  expect(() => noiseScheduleOf([0.1, 0.2], [1])).toThrow(BadConfig)
})

test("a schedule of one step has a logarithm", () => {
  expect(noiseScheduleOf([0.25]).posteriorLogVariance[0]).toBe(Math.log(0.25))
})

verify("addNoise", [
  law("it is √ᾱ x₀ + √(1 − ᾱ) ε, each row at its own time", noisyExamples([0, 1]), (e) => {
    expectClose(addNoise(e.schedule, rowsOf(e, e.start), rowsOf(e, e.noise), timesOf(e)), noisyOf(e))
  }),
  law("it keeps the variance: the two factors' squares add up to 1", noisyExamples([0, 1]), (e) => {
    const [x, zero] = [
      rowsOf(e, e.start),
      rowsOf(
        e,
        e.start.map(() => 0),
      ),
    ]
    const left = addNoise(e.schedule, x, zero, timesOf(e))
    const added = addNoise(e.schedule, zero, x, timesOf(e))
    expectClose(tf.add(tf.square(left), tf.square(added)), tf.square(x))
  }),
  law("a step more leaves less of the data", noisyExamples([0, 1]), (e) => {
    const one = rowsOf(
      e,
      e.start.map(() => 1),
    )
    const at = (by: number) =>
      values(
        addNoise(
          e.schedule,
          one,
          tf.zerosLike(one),
          tf.minimum(tf.add(timesOf(e), tf.scalar(by, "int32")), tf.scalar(e.schedule.steps - 1, "int32")),
        ),
      )
    const [now, next] = [at(0), at(1)]
    const last = eachOf(
      e,
      Float64Array.from(e.schedule.alphaBar, (_, t) => Number(t === e.schedule.steps - 1)),
    )
    now.forEach((x, i) => {
      if (last[i] === 0 && next[i]! >= x) throw new Error(`${next[i]} after ${x}`)
    })
  }),
])

test("many steps of the chain q(x_t | x_{t−1}) have the mean and the variance of one jump to the end", () => {
  const { beta, alphaBar, steps } = noiseSchedule({ kind: "cosine", steps: 40 })
  const n = 4000
  const z = random.normal(keyFromSeed(2), [steps, n]).data
  for (const last of [5, 20, 39]) {
    const x = Array.from({ length: n }, (_, i) => {
      let value = 1.5
      for (let t = 0; t <= last; t++) value = Math.sqrt(1 - beta[t]!) * value + Math.sqrt(beta[t]!) * z[t * n + i]!
      return value
    })
    const mean = x.reduce((a, b) => a + b, 0) / n
    const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n
    expect(Math.abs(mean - 1.5 * Math.sqrt(alphaBar[last]!))).toBeLessThan(4 * Math.sqrt((1 - alphaBar[last]!) / n))
    expect(Math.abs(variance / (1 - alphaBar[last]!) - 1)).toBeLessThan(4 * Math.sqrt(2 / n))
  }
})

const changed =
  (change: (schedule: NoiseSchedule) => Partial<NoiseSchedule>): MakeSchedule =>
  (config) => {
    const schedule = noiseSchedule(config)
    return { ...schedule, ...change(schedule) }
  }
/** As `noiseScheduleOf`, of any β at all. */
const linear =
  (from: (steps: number) => number, to: (steps: number) => number): MakeSchedule =>
  (config) =>
    config.kind === "cosine"
      ? noiseSchedule(config)
      : noiseScheduleOf(
          Array.from(
            { length: config.steps },
            (_, t) => from(config.steps) + ((to(config.steps) - from(config.steps)) * t) / config.steps,
          ),
        )

const mutants: ReadonlyArray<readonly [string, MakeSchedule, string]> = [
  [
    "whose ᾱ is not accumulated",
    changed(({ beta }) => ({ alphaBar: beta.map((b) => 1 - b) })),
    "ᾱ is the product of 1 − β, and its neighbours are 1 before the first and 0 after the last",
  ],
  [
    "whose ᾱ is rounded to float16's digits",
    changed(({ alphaBar }) => ({ alphaBar: alphaBar.map((a) => Math.round(a * 1024) / 1024) })),
    "ᾱ falls strictly, within (0, 1)",
  ],
  [
    "whose first step has one before it",
    changed(({ alphaBar }) => ({ alphaBarBefore: alphaBar })),
    "ᾱ is the product of 1 − β, and its neighbours are 1 before the first and 0 after the last",
  ],
  [
    "with β for β̃",
    changed(({ beta }) => ({ posteriorVariance: beta })),
    "0 ≤ β̃ ≤ β, and β̃ is 0 at the first step alone",
  ],
  [
    "whose β̃ has its fraction upside down",
    changed(({ beta, alphaBar, alphaBarBefore }) => ({
      posteriorVariance: beta.map((b, t) => (b * (1 - alphaBar[t]!)) / Math.max(1 - alphaBarBefore[t]!, 1e-3)),
    })),
    "0 ≤ β̃ ≤ β, and β̃ is 0 at the first step alone",
  ],
  [
    "whose β̃ is half of β",
    changed(({ beta }) => ({ posteriorVariance: beta.map((b, t) => (t === 0 ? 0 : b / 2)) })),
    "β̃ is what is left of the two variances that x_{t−1} has, given x_t and given x₀",
  ],
  [
    "with the logarithm of 0",
    changed(({ posteriorVariance }) => ({ posteriorLogVariance: posteriorVariance.map(Math.log) })),
    "ln β̃ is finite: the first step has the second's",
  ],
  [
    "that counts times from 1",
    changed(({ times }) => ({ times: times.map((t) => t + 1) })),
    "a network is told the step itself",
  ],
  [
    "whose β do not know the number of steps",
    linear(
      () => 1e-4,
      () => 2e-2,
    ),
    "linear β lie evenly from 0.1 to 20 divided by the steps",
  ],
  [
    "that ends one step early",
    linear(
      (n) => 0.1 / n,
      (n) => 20 / n,
    ),
    "linear β lie evenly from 0.1 to 20 divided by the steps",
  ],
  [
    "whose cosine has no offset",
    (config) =>
      config.kind === "linear"
        ? noiseSchedule(config)
        : noiseScheduleOf(
            Array.from({ length: config.steps }, (_, t) => {
              const left = (s: number): number => Math.cos((s / config.steps) * (Math.PI / 2)) ** 2
              return Math.min(1 - left(t + 1) / left(t), 0.999)
            }),
          ),
    "cosine ᾱ is the squared cosine, and β at most 0.999",
  ],
]
test.each(mutants)("a schedule %s breaks a law", (_, make, name) => {
  expect(broken(scheduleLaws(make))).toContain(name)
})
test("every law of schedules refuses one of them", () => {
  expect(new Set(mutants.map(([, , name]) => name))).toEqual(
    new Set(scheduleLaws(noiseSchedule).map(({ name }) => name)),
  )
})
