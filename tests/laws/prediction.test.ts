import { ShapeMismatch } from "@millrace/core"
import {
  convertPrediction,
  errorWeights,
  logVariance,
  noiseSchedule,
  posteriorMean,
  reverse,
  splitOutput,
  velocity,
} from "@millrace/models"
import {
  convertLaws,
  errorWeightLaws,
  noisyExamples,
  noisyOf,
  posteriorLaws,
  rowsOf,
  timesOf,
  varianceLaws,
  velocityOf,
} from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expect, test } from "vitest"
import { expectClose, expectSame, expectThat, values } from "./close.js"
import { float, ids, real } from "./examples.js"
import { law, verify } from "./law.js"
import { learned } from "./mutants/prediction.js"

verify("convertPrediction", convertLaws(convertPrediction))
verify("errorWeights", errorWeightLaws(errorWeights, convertPrediction))
verify("posteriorMean", posteriorLaws(posteriorMean))

verify("logVariance, learned", [
  ...varianceLaws(learned),
  law("fixed, it is ln β̃ or ln β; the first step always has the small one", noisyExamples([0, 1]), (e) => {
    const at = (kind: "fixed-small" | "fixed-large") => values(logVariance(e.schedule, kind, null, timesOf(e), 2))
    const [small, large] = [e.schedule.posteriorLogVariance, e.schedule.beta.map(Math.log)]
    expectClose(
      at("fixed-small"),
      e.time.map((t) => small[t]!),
    )
    expectClose(
      at("fixed-large"),
      e.time.map((t) => (t === 0 ? small[0]! : large[t]!)),
    )
  }),
])

verify("reverse", [
  law(
    "a clamp keeps the start within it, and the mean is that of the clamped start",
    fc.tuple(noisyExamples(), real(2)),
    ([e, c]) => {
      const clamp = Math.abs(c) + 0.1
      const diffusion = { schedule: e.schedule, parametrisation: "noise", variance: "fixed-small" } as const
      const [x, time] = [rowsOf(e, noisyOf(e)), timesOf(e)]
      const free = reverse(diffusion, rowsOf(e, e.other), x, time, null)
      const kept = reverse(diffusion, rowsOf(e, e.other), x, time, clamp)
      const wanted = values(free.start).map((s) => Math.min(clamp, Math.max(-clamp, s)))
      expectClose(kept.start, wanted)
      expectClose(kept.mean, posteriorMean(e.schedule, rowsOf(e, wanted), x, time))
    },
  ),
  law("the true noise gives the true start and the mean of q(x_{t−1} | x_t, x₀)", noisyExamples(), (e) => {
    const diffusion = { schedule: e.schedule, parametrisation: "noise", variance: "fixed-small" } as const
    const [x, time] = [rowsOf(e, noisyOf(e)), timesOf(e)]
    const seen = reverse(diffusion, rowsOf(e, e.noise), x, time, null)
    expectClose(seen.start, e.start, { relative: 1e-4, absolute: 1e-4 })
    expectClose(seen.mean, posteriorMean(e.schedule, rowsOf(e, e.start), x, time), { relative: 1e-4, absolute: 1e-4 })
  }),
])

verify("velocity", [
  law("it is what the noise converts to, and √ᾱ ε − √(1 − ᾱ) x₀ to the last step", noisyExamples([0, 1]), (e) => {
    expectClose(velocity(e.schedule, rowsOf(e, e.start), rowsOf(e, e.noise), timesOf(e)), velocityOf(e))
  }),
])

test("of an output with a learned variance the first half of the channels is the prediction", () => {
  const { prediction, interpolation } = splitOutput("learned-range", float([1, 4], [1, 2, 3, 4]), 2)
  expectSame(prediction, [1, 2])
  expectSame(interpolation!, [3, 4])
  expect(splitOutput("fixed-small", float([1, 2], [1, 2]), 2).interpolation).toBeNull()
})

test("an output of the wrong number of channels is refused, and the error says how many it should have", () => {
  expect(() => splitOutput("learned-range", float([1, 3], [1, 2, 3]), 3)).toThrow(ShapeMismatch)
  expect(() => splitOutput("learned-range", float([1, 3], [1, 2, 3]), 3)).toThrow("an output of 6 channels")
  expect(() => splitOutput("fixed-small", float([1, 6], [1, 2, 3, 4, 5, 6]), 3)).toThrow("an output of 3 channels")
})

test("an image's rows each have their own time", () => {
  const schedule = noiseSchedule({ kind: "cosine", steps: 10 })
  const x = tf.ones([2, 2, 2, 1])
  const mean = values(posteriorMean(schedule, x, tf.zerosLike(x), ids([2], [1, 8])))
  expectSame(mean.slice(1, 4), mean.slice(0, 3))
  expectThat(mean[0]! > 2 * mean[4]!, () => `${mean}`)
})
