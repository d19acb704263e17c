import { BadConfig, keyFromSeed, random } from "@millrace/core"
import { addNoise, noiseSchedule, noiseScheduleOf } from "@millrace/models"
import { eachOf, noisyExamples, noisyOf, rowsOf, scheduleLaws, timesOf } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { expectClose, values } from "./close.js"
import { law, verify } from "./law.js"

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
