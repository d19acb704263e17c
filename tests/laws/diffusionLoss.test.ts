import { ShapeMismatch } from "@millrace/core"
import {
  boundTerm,
  convertPrediction,
  diffusionLoss,
  discretisedNormal,
  type Normal,
  noiseSchedule,
  normalKl,
  priorTerm,
} from "@millrace/models"
import {
  diffusionLossLaws,
  discretisedLaws,
  normalKlReference as klReference,
  noisyExamples,
  normalKlLaws,
  rowsOf,
} from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { expectClose, expectThat, values } from "./close.js"
import { float, gradient, ids, real } from "./examples.js"
import { law, verify } from "./law.js"

verify("normalKl", normalKlLaws(normalKl))
verify("discretisedNormal", discretisedLaws(discretisedNormal))
verify("diffusionLoss", diffusionLossLaws(diffusionLoss))

verify("priorTerm", [
  law("it is KL(q(x_T | x₀) ‖ N(0, 1)) in bits, the mean over a row", noisyExamples(), (e) => {
    const left = e.schedule.alphaBar.at(-1)!
    const wanted = Array.from({ length: e.b }, (_, i) =>
      e.start
        .slice(i * e.d, (i + 1) * e.d)
        .reduce((sum, x) => sum + klReference(Math.sqrt(left) * x, Math.log(1 - left), 0, 0) / Math.LN2 / e.d, 0),
    )
    expectClose(priorTerm(e.schedule, rowsOf(e, e.start)), wanted, { relative: 1e-3, absolute: 1e-6 })
  }),
  law("of a thousand cosine steps next to nothing is left", real(1), (x) => {
    const [term] = values(priorTerm(noiseSchedule({ kind: "cosine", steps: 1000 }), float([1, 1], [x])))
    expectThat(Math.abs(term!) < 1e-6, () => `${term}`)
  }),
])

test("at the first step the term is −log₂ of the probability of the 8-bit data", () => {
  const schedule = noiseSchedule({ kind: "linear", steps: 100 })
  const [data, mean, log] = [[-1, 3 / 255, 1], 0.1, -3]
  const p: Normal = { mean: float([1, 3], [mean, mean, mean]), logVariance: float([1, 3], [log, log, log]) }
  const term = boundTerm(schedule, float([1, 3], data), float([1, 3], data), ids([1], [0]), p)
  const bits = values(discretisedNormal(float([1, 3], data), p)).map((x) => -x / Math.LN2)
  expectClose(term, bits.reduce((a, b) => a + b, 0) / 3)
})

test("gradients of the bound are finite where the prediction is far off, and where a value has no probability", () => {
  const diffusion = {
    schedule: noiseSchedule({ kind: "linear", steps: 1000 }),
    parametrisation: "noise",
    variance: "learned-range",
  } as const
  const batch = { data: float([2, 2], [-1, 0, 1, 0.5]), noise: float([2, 2], [3, -3, 3, -3]), time: ids([2], [0, 999]) }
  for (const size of [0, 1e2, 1e4]) {
    const [slope] = gradient(
      (output) => diffusionLoss(diffusion, batch, output!, { kind: "bound" }).loss,
      [float([2, 4], [size, -size, 1, -1, size, -size, 1, -1])],
    )
    for (const x of values(slope!)) expect(Number.isFinite(x)).toBe(true)
  }
})

test("data, noise and times of different sizes are refused together", () => {
  const diffusion = {
    schedule: noiseSchedule({ kind: "cosine", steps: 10 }),
    parametrisation: "noise",
    variance: "fixed-small",
  } as const
  const batch = { data: tf.zeros([2, 3]), noise: tf.zeros([2, 4]), time: ids([3], [0, 1, 2]) }
  const fail = () => diffusionLoss(diffusion, batch, tf.zeros([2, 3]), { kind: "simple" })
  expect(fail).toThrow(ShapeMismatch)
  expect(fail).toThrow(/noise \[2, 4\], time \[3\]/)
})

test("one error measured in three ways is one error", () => {
  const schedule = noiseSchedule({ kind: "cosine", steps: 40 })
  const [data, noise, time] = [float([2, 2], [0.5, -0.5, 1, 0]), float([2, 2], [1, 2, -1, 0.5]), ids([2], [9, 25])]
  const prediction = float([2, 2], [0.3, 1, 0, 0])
  const noisy = tf.add(
    tf.mul(
      data,
      float(
        [2, 1],
        [9, 25].map((t) => Math.sqrt(schedule.alphaBar[t]!)),
      ),
    ),
    tf.mul(
      noise,
      float(
        [2, 1],
        [9, 25].map((t) => Math.sqrt(1 - schedule.alphaBar[t]!)),
      ),
    ),
  )
  const measured = (["noise", "start", "velocity"] as const).map((parametrisation) => {
    const same = convertPrediction(schedule, { from: "noise", to: parametrisation }, prediction, noisy, time)
    const diffusion = { schedule, parametrisation, variance: "fixed-small" } as const
    return values(diffusionLoss(diffusion, { data, noise, time }, same, { kind: "simple", error: "start" }).loss)[0]!
  })
  expectClose(
    measured,
    measured.map(() => measured[0]!),
    { relative: 1e-4, absolute: 0 },
  )
})
