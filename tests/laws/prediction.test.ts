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
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expect, test } from "vitest"
import { expectClose, expectSame, expectThat, values } from "./close.js"
import { noisyExamples, noisyOf, rowsOf, timesOf, velocityOf } from "./diffusionExamples.js"
import { float, ids, real } from "./examples.js"
import { broken, law, verify } from "./law.js"
import {
  type Convert,
  convertLaws,
  errorWeightLaws,
  type LearnedVariance,
  posteriorLaws,
  varianceLaws,
  type Weights,
} from "./predictionLaws.js"

const learned: LearnedVariance = (schedule, v, time) => logVariance(schedule, "learned-range", v, time, v.rank)

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

// --- broken ones

const swapped: Convert = (schedule, { from, to }, prediction, noisy, time) =>
  convertPrediction(
    { ...schedule, alphaBar: schedule.alphaBar.map((a) => 1 - a) },
    { from, to },
    prediction,
    noisy,
    time,
  )
const signed: Convert = (schedule, way, prediction, noisy, time) => {
  const flipped = (name: string, x: tf.Tensor) => (name === "velocity" ? tf.neg(x) : x)
  return flipped(way.to, convertPrediction(schedule, way, flipped(way.from, prediction), noisy, time))
}
const clamped: Convert = (...all) => tf.clipByValue(convertPrediction(...all), -1, 1)
const oneWay: Convert = (schedule, way, ...rest) =>
  way.from === "start" && way.to === "noise"
    ? tf.mul(convertPrediction(schedule, way, ...rest), 1.1)
    : convertPrediction(schedule, way, ...rest)
const stretched: Convert = (schedule, way, ...rest) =>
  way.to === "velocity" && way.from !== "velocity"
    ? tf.mul(convertPrediction(schedule, way, ...rest), 1.5)
    : convertPrediction(schedule, way, ...rest)

const convertMutants: ReadonlyArray<readonly [string, Convert, string]> = [
  ["with ᾱ and 1 − ᾱ exchanged", swapped, "of the true ε, x₀ or v it makes the true others"],
  ["with v's sign reversed", signed, "of the true ε, x₀ or v it makes the true others"],
  ["that clamps", clamped, "there and back again is the identity, of wrong predictions too"],
  ["that clamps", clamped, "it is affine, so it commutes with guidance"],
  ["that scales the noise", oneWay, "the noise of a start is −√(1 − ᾱ) times the slope of log q(x_t | x₀)"],
  ["that scales the velocity", stretched, "x_t² + v² = x₀² + ε²: a rotation"],
]
test.each(convertMutants)("a conversion %s breaks a law", (_, convert, name) => {
  expect(broken(convertLaws(convert))).toContain(name)
})

const weightMutants: ReadonlyArray<readonly [string, Weights, string]> = [
  [
    "without the square",
    (...at) => errorWeights(...at).map(Math.sqrt),
    "from noise to start it is (1 − ᾱ) / ᾱ, to velocity 1 / ᾱ",
  ],
  ["upside down", (s, from, to) => errorWeights(s, to, from), "it is what two predictions' squared distance grows by"],
  [
    "capped at 5, as min-SNR",
    (...at) => errorWeights(...at).map((w) => Math.min(w, 5)),
    "there and back again they cancel",
  ],
]
test.each(weightMutants)("weights %s break a law", (_, weights, name) => {
  expect(broken(errorWeightLaws(weights, convertPrediction))).toContain(name)
})

const posteriorMutants: ReadonlyArray<readonly [string, typeof posteriorMean, string]> = [
  [
    "that takes ᾱ of the step for that of the step before",
    (s, ...rest) => posteriorMean({ ...s, alphaBarBefore: s.alphaBar }, ...rest),
    "of a noiseless x_t it is a noiseless x_{t−1}: c₁ + c₂ √ᾱ_t = √ᾱ_{t−1}",
  ],
  [
    "that adds no noise of its own",
    (s, start, noisy, time) => tf.add(posteriorMean(s, start, noisy, time), tf.mul(0.1, tf.sub(noisy, start))),
    "with β̃ it has the forward process's variance: c₂² (1 − ᾱ_t) + β̃ = 1 − ᾱ_{t−1}",
  ],
  [
    "with start and x_t exchanged",
    (s, start, noisy, time) => posteriorMean(s, noisy, start, time),
    "it is the mean of q(x_t | x_{t−1}) and q(x_{t−1} | x₀), weighed by their precisions",
  ],
  [
    "with start and x_t exchanged",
    (s, start, noisy, time) => posteriorMean(s, noisy, start, time),
    "at the first step it is the start, whatever x_t is",
  ],
]
test.each(posteriorMutants)("a posterior mean %s breaks a law", (_, mean, name) => {
  expect(broken(posteriorLaws(mean))).toContain(name)
})

const varianceMutants: ReadonlyArray<readonly [string, LearnedVariance, string]> = [
  [
    "whose v is a share already",
    (s, v, t) => learned(s, tf.sub(tf.mul(v, 2), 1), t),
    "v = −1 is ln β̃ and v = 1 is ln β",
  ],
  [
    "whose v is a share already",
    (s, v, t) => learned(s, tf.sub(tf.mul(v, 2), 1), t),
    "for v from −1 to 1 it lies between ln β̃ and ln β",
  ],
  [
    "that interpolates the variances and not their logarithms",
    (s, v, t) => {
      const [low, high] = [-1, 1].map((x) => tf.exp(learned(s, tf.fill(v.shape, x), t)))
      return tf.log(tf.add(tf.mul(tf.div(tf.add(v, 1), 2), high!), tf.mul(tf.div(tf.sub(1, v), 2), low!)))
    },
    "it is affine in v, beyond the limits too",
  ],
]
test.each(varianceMutants)("a learned variance %s breaks a law", (_, log, name) => {
  expect(broken(varianceLaws(log))).toContain(name)
})

test("every law of predictions refuses one of them", () => {
  const named = (mutants: ReadonlyArray<readonly [string, unknown, string]>) =>
    new Set(mutants.map(([, , name]) => name))
  const all = (laws: ReadonlyArray<{ readonly name: string }>) => new Set(laws.map(({ name }) => name))
  expect(named(convertMutants)).toEqual(all(convertLaws(convertPrediction)))
  expect(named(weightMutants)).toEqual(all(errorWeightLaws(errorWeights, convertPrediction)))
  expect(named(posteriorMutants)).toEqual(all(posteriorLaws(posteriorMean)))
  expect(named(varianceMutants)).toEqual(all(varianceLaws(learned)))
})
