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
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { expectClose, expectThat, values } from "./close.js"
import { noisyExamples, rowsOf } from "./diffusionExamples.js"
import { diffusionLossLaws, type Loss } from "./diffusionLossLaws.js"
import { float, gradient, ids, real } from "./examples.js"
import { broken, law, verify } from "./law.js"
import { type Discretised, discretisedLaws, type NormalKl, normalKlLaws } from "./normalLaws.js"
import { klReference } from "./reference/diffusion.js"

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

// --- broken ones

const klMutants: ReadonlyArray<readonly [string, NormalKl, string]> = [
  ["the other way round", (p, q) => normalKl(q, p), "it is the integral of p ln(p / q)"],
  ["without its − 1", (p, q) => tf.add(normalKl(p, q), 0.5), "it is at least 0, and 0 for equal distributions alone"],
  [
    "that measures the means' distance in p's units",
    (p, q) => tf.add(normalKl({ ...p, mean: q.mean }, q), tf.mul(0.5, tf.square(tf.sub(p.mean, q.mean)))),
    "it does not change where both move, or are stretched by one factor",
  ],
  [
    "that takes ln σ for ln σ²",
    (p, q) => {
      const twice = (n: Normal): Normal => ({ mean: n.mean, logVariance: tf.mul(2, n.logVariance) })
      return normalKl(twice(p), twice(q))
    },
    "it has the value and the gradients of the float64 reference",
  ],
]
test.each(klMutants)("a KL %s breaks a law", (_, kl, name) => {
  expect(broken(normalKlLaws(kl))).toContain(name)
})

const shifted = (p: Normal, by: number): Normal => ({ ...p, mean: tf.add(p.mean, by) })
const logistic = (x: tf.Tensor): tf.Tensor =>
  tf.mul(0.5, tf.add(1, tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.pow(x, 3)))))))
const density: Discretised = (x, p) =>
  tf.sub(
    tf.mul(-0.5, tf.add(p.logVariance, tf.div(tf.square(tf.sub(x, p.mean)), tf.exp(p.logVariance)))),
    0.5 * Math.log(2 * Math.PI) - Math.log(2 / 255),
  )
const discretisedMutants: ReadonlyArray<readonly [string, Discretised, string]> = [
  ["that is a density", density, "the probabilities of the 256 values add up to 1"],
  ["that is a density", density, "it is at most 0 and never below ln 10⁻¹²"],
  [
    "half a value off",
    (x, p) => discretisedNormal(x, shifted(p, 1 / 255)),
    "negating the data and the mean changes nothing",
  ],
  [
    "with bins of half the width",
    (x, p) => {
      const [s, half] = [tf.exp(tf.mul(0.5, p.logVariance)), 0.5 / 255]
      const to = (by: number) => logistic(tf.div(tf.add(tf.sub(x, p.mean), by), s))
      return tf.log(tf.maximum(tf.sub(to(half), to(-half)), 1e-12))
    },
    "a narrow distribution gives all to the nearest value",
  ],
  [
    "whose tails cancel",
    (x, p) => {
      const [s, half] = [tf.exp(tf.mul(0.5, p.logVariance)), 1 / 255]
      const to = (by: number) => logistic(tf.div(tf.add(tf.sub(x, p.mean), by), s))
      const between = tf.log(tf.maximum(tf.sub(to(half), to(-half)), 1e-12))
      return tf.where(tf.greater(tf.abs(x), 0.999), discretisedNormal(x, p), between)
    },
    "it has the value of the float64 reference, in the tails too",
  ],
]
test.each(discretisedMutants)("a discretised normal distribution %s breaks a law", (_, logProb, name) => {
  expect(broken(discretisedLaws(logProb))).toContain(name)
})

const withLoss =
  (change: (found: ReturnType<Loss>, ...given: Parameters<Loss>) => tf.Tensor): Loss =>
  (...given) => {
    const found = diffusionLoss(...given)
    return { ...found, loss: change(found, ...given) as tf.Scalar }
  }
const halves = (output: tf.Tensor) => tf.split(output, 2, -1) as [tf.Tensor, tf.Tensor]
const lossMutants: ReadonlyArray<readonly [string, Loss, string]> = [
  [
    "that compares with the start whatever is predicted",
    (d, batch, output, config) => {
      const found = diffusionLoss(d, batch, output, config)
      const prediction = d.variance === "learned-range" ? halves(output)[0] : output
      return { ...found, simple: tf.mean(tf.square(tf.sub(batch.data, prediction))) }
    },
    "the true prediction has a simple loss of 0",
  ],
  [
    "whose bound takes β for β̃",
    (d, ...rest) =>
      diffusionLoss(
        { ...d, schedule: { ...d.schedule, posteriorLogVariance: d.schedule.beta.map((b) => Math.log(b) - 1) } },
        ...rest,
      ),
    "it has the value of the float64 reference, for every parametrisation, variance, kind and measured error",
  ],
  [
    "whose v is a share already",
    (d, batch, output, config) => {
      if (d.variance !== "learned-range") return diffusionLoss(d, batch, output, config)
      const [prediction, v] = halves(output)
      return diffusionLoss(d, batch, tf.concat([prediction, tf.sub(tf.mul(v, 2), 1)], -1), config)
    },
    "with β̃ for its variance its bound is 0 after the first step",
  ],
  [
    "whose bound has the cross-entropy in place of the KL",
    (...given) => {
      const found = diffusionLoss(...given)
      return { ...found, bound: tf.sub(found.bound, 2) }
    },
    "the bound is never negative",
  ],
  [
    "whose bound teaches the prediction too",
    withLoss((found, d, batch, output, config) =>
      config.kind === "hybrid"
        ? tf.add(found.simple, tf.mul(config.weight ?? 1e-3, diffusionLoss(d, batch, output, { kind: "bound" }).loss))
        : found.loss,
    ),
    "of the hybrid loss the prediction learns the simple one alone, and the variance the bound",
  ],
  [
    "whose bound teaches the prediction too",
    withLoss((found, d, batch, output, config) =>
      config.kind === "hybrid"
        ? tf.add(found.simple, tf.mul(config.weight ?? 1e-3, diffusionLoss(d, batch, output, { kind: "bound" }).loss))
        : found.loss,
    ),
    "it has the gradient of the reference's differences",
  ],
  [
    "that gives all rows the first one's time",
    (d, batch, output, config) =>
      diffusionLoss(d, { ...batch, time: tf.fill(batch.time.shape, values(batch.time)[0]!, "int32") }, output, config),
    "the order of the rows does not matter",
  ],
  [
    "that sums over the rows",
    withLoss((found, _, batch) => tf.mul(found.loss, batch.data.shape[0]!)),
    "a batch's loss is the mean of its rows'",
  ],
]
test.each(lossMutants)("a loss %s breaks a law", (_, loss, name) => {
  expect(broken(diffusionLossLaws(loss))).toContain(name)
})

test("every law of diffusion's losses refuses one of them", () => {
  const named = (mutants: ReadonlyArray<readonly [string, unknown, string]>) =>
    new Set(mutants.map(([, , name]) => name))
  const all = (laws: ReadonlyArray<{ readonly name: string }>) => new Set(laws.map(({ name }) => name))
  expect(named(klMutants)).toEqual(all(normalKlLaws(normalKl)))
  expect(named(discretisedMutants)).toEqual(all(discretisedLaws(discretisedNormal)))
  expect(named(lossMutants)).toEqual(all(diffusionLossLaws(diffusionLoss)))
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
