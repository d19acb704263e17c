import { keyFromSeed, random } from "@millrace/core"
import { convertPrediction, guide, guided, guideMean, guideNoise } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expect, test } from "vitest"
import { expectClose, values } from "./close.js"
import { eachOf, noisyExamples, noisyOf, rowsOf, timesOf } from "./diffusionExamples.js"
import { float, ids, real } from "./examples.js"
import { type Guide, guideLaws } from "./guidanceLaws.js"
import { broken, law, verify } from "./law.js"

verify("guide", guideLaws(guide))
verify("guidance by a gradient", [
  law(
    "moved noise is the score moved by the gradient, moved means are moved by Σ times it",
    fc.tuple(noisyExamples(), real(4)),
    ([e, s]) => {
      const spread = eachOf(
        e,
        e.schedule.alphaBar.map((a) => Math.sqrt(1 - a)),
      )
      const moved = values(guideNoise(e.schedule, rowsOf(e, e.noise), rowsOf(e, e.other), timesOf(e), s))
      const score = (noise: ReadonlyArray<number>) => noise.map((x, i) => -x / spread[i]!)
      expectClose(
        score(moved),
        score(e.noise).map((x, i) => x + s * e.other[i]!),
        { relative: 1e-4, absolute: 1e-4 },
      )
      const step = { start: rowsOf(e, e.start), mean: rowsOf(e, e.start), logVariance: rowsOf(e, e.noise) }
      const wanted = e.start.map((x, i) => x + s * Math.exp(e.noise[i]!) * e.other[i]!)
      expectClose(guideMean(step, rowsOf(e, e.other), s).mean, wanted, { relative: 1e-4, absolute: 1e-4 })
    },
  ),
  law(
    "by a normal likelihood of the start it samples the posterior's mean: noise and start agree",
    noisyExamples([0.1, 0.9]),
    (e) => {
      // Data N(0, 1): x_t is N(0, 1) too, ε̂ = √(1 − ᾱ) x, and y = x₀ + N(0, 1) has log p(y | x_t) of a known slope.
      const left = eachOf(e, e.schedule.alphaBar)
      const x = noisyOf(e)
      const slope = x.map((v, i) => (Math.sqrt(left[i]!) * (e.other[i]! - Math.sqrt(left[i]!) * v)) / (2 - left[i]!))
      const free = x.map((v, i) => Math.sqrt(1 - left[i]!) * v)
      const moved = guideNoise(e.schedule, rowsOf(e, free), rowsOf(e, slope), timesOf(e), 1)
      const start = convertPrediction(e.schedule, { from: "noise", to: "start" }, moved, rowsOf(e, x), timesOf(e))
      // E[x₀ | x_t, y] by precisions 1, ᾱ / (1 − ᾱ) and 1.
      const wanted = x.map((v, i) => {
        const seen = left[i]! / (1 - left[i]!)
        return ((seen * v) / Math.sqrt(left[i]!) + e.other[i]!) / (1 + seen + 1)
      })
      expectClose(start, wanted, { relative: 1e-3, absolute: 1e-3 })
    },
  ),
])

test("a guided denoiser runs both branches as one batch, and gives what two calls would", () => {
  const calls: Array<number> = []
  const denoiser = {
    name: "linear",
    params: {},
    conditioning: { text: { dtype: "float32", shape: [2] } },
    apply: (_: unknown, x: tf.Tensor, time: tf.Tensor, given: Readonly<Record<string, tf.Tensor>>) => {
      calls.push(x.shape[0]!)
      const late = tf.reshape(tf.cast(time, "float32"), [-1, 1])
      return tf.concat([tf.add(tf.mul(x, given.text!), late), tf.mul(given.text!, late)], 1)
    },
  } as const
  const draw = (name: string) => float([3, 2], [...random.normal(keyFromSeed(name), [3, 2]).data])
  const [x, text, none, time] = [draw("x"), draw("text"), draw("none"), ids([3], [1, 2, 3])]
  const both = guided(denoiser, 3)
  expect(Object.keys(both.conditioning)).toEqual(["text", "unconditional.text"])
  const got = both.apply({}, x, time, { text, "unconditional.text": none })
  expect(calls).toEqual([6])
  expectClose(got, guide(denoiser.apply({}, x, time, { text }), denoiser.apply({}, x, time, { text: none }), 3, 2))
})

// --- broken ones

const guideMutants: ReadonlyArray<readonly [string, Guide, string]> = [
  ["by w = scale − 1", (c, u, s, n) => guide(c, u, s + 1, n), "a scale of 1 is the conditional prediction"],
  ["by w = scale − 1", (c, u, s, n) => guide(c, u, s + 1, n), "a scale of 0 is the unconditional prediction"],
  ["by the square of the scale", (c, u, s, n) => guide(c, u, s * Math.abs(s), n), "it is affine in the scale"],
  [
    "that grows with the scale",
    (c, u, s, n) => tf.mul(guide(c, u, s, n), 1 + 0.1 * s),
    "where both predictions agree the scale does not matter",
  ],
  [
    "of the variance too",
    (c, u, s) => guide(c, u, s, c.shape.at(-1)!),
    "the variance's channels stay the conditional ones",
  ],
  [
    "of the first half alone",
    (c, u, s) => guide(c, u, s, Math.ceil(c.shape.at(-1)! / 2)),
    "an output without variance is guided as a whole",
  ],
  [
    "that clamps",
    (c, u, s, n) => tf.clipByValue(guide(c, u, s, n), -1, 1),
    "guided noise is the guided start and the guided velocity",
  ],
]
test.each(guideMutants)("guidance %s breaks a law", (_, broke, name) => {
  expect(broken(guideLaws(broke))).toContain(name)
})

test("every law of guidance refuses one of them", () => {
  expect(new Set(guideMutants.map(([, , name]) => name))).toEqual(new Set(guideLaws(guide).map(({ name }) => name)))
})
