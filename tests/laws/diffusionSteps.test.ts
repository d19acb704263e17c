import { BadConfig, keyFromSeed, random } from "@millrace/core"
import {
  convertPrediction,
  ddpmStep,
  guide,
  guided,
  guideMean,
  guideNoise,
  noiseSchedule,
  noiseScheduleOf,
  posteriorMean,
  respace,
  reverse,
  slerp,
  spacedSteps,
} from "@millrace/models"
import {
  ddimLaws,
  ddpmLaws,
  eachOf,
  guideLaws,
  noisyExamples,
  noisyOf,
  respacingLaws,
  rowsOf,
  slerpLaws,
  timesOf,
} from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expect, test } from "vitest"
import { expectClose, values } from "./close.js"
import { float, gradient, grid, ids, real } from "./examples.js"
import { law, verify } from "./law.js"
import { ddim, respacing } from "./mutants/diffusionSteps.js"

verify("ddpmStep", [
  ...ddpmLaws(ddpmStep),
  law("of a schedule with one step it is the clamped start", fc.tuple(grid([2, 3]), grid([2, 3])), ([x, output]) => {
    const diffusion = { schedule: noiseScheduleOf([0.5]), parametrisation: "start", variance: "fixed-large" } as const
    const time = ids([2], [0, 0])
    const seen = reverse(diffusion, float([2, 3], output), float([2, 3], x), time, 1)
    expectClose(
      ddpmStep(seen, tf.ones([2, 3]), time),
      output.map((v) => Math.min(1, Math.max(-1, v))),
    )
  }),
])

verify("ddimStep and ddimInverseStep", ddimLaws(ddim, posteriorMean))
verify("guide", guideLaws(guide))
verify("spacedSteps and respace", respacingLaws(respacing, noiseSchedule))

verify("slerp", [
  ...slerpLaws(slerp),
  law(
    "vectors keep their lengths at the ends, and stretching both stretches all",
    grid(
      [4],
      real(4).filter((v) => v >= 0),
    ),
    (x) => {
      const [a, b] = [
        float(
          [1, 4],
          x.map((v) => 3 * v + 0.1),
        ),
        float([1, 4], [1, 2, -1, 0.5]),
      ]
      expectClose(slerp(a, b, 0), a)
      const stretched = slerp(tf.mul(a, 2), tf.mul(b, 2), 0.3)
      expectClose(stretched, tf.mul(slerp(a, b, 0.3), 2), { relative: 1e-4, absolute: 1e-5 })
    },
  ),
])

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

test("the named spacings are those of the published samplers", () => {
  expect(spacedSteps(1000, "ddim25")).toEqual(Array.from({ length: 25 }, (_, i) => 40 * i))
  expect(spacedSteps(10, "3")).toEqual([0, 4, 9])
  expect(spacedSteps(300, "10,15,20")).toHaveLength(45)
  const fast = spacedSteps(1000, "fast27")
  expect(fast).toHaveLength(27)
  expect(fast.slice(-2)).toEqual([800, 997])
  expect(fast.filter((s) => s < 200)).toHaveLength(10)
})

test.each(["ddim0", "ddim999", "0", "", "5,", "11,1", "1.5", "-3", "fast28", "10,10,3,2,2,x"])(
  "the spacing %j of 20 steps is refused",
  (spacing) => {
    expect(() => spacedSteps(20, spacing)).toThrow(BadConfig)
  },
)

test.each([[[]], [[1, 1]], [[2, 1]], [[-1]], [[0.5]], [[40]]])("the steps %j of 40 are refused", (steps) => {
  expect(() => respace(noiseSchedule({ kind: "cosine", steps: 40 }), steps)).toThrow(BadConfig)
})

test("slerp of a vector with itself has a gradient", () => {
  const a = float([1, 3], [0.6, 0.8, 0])
  for (const g of gradient((x, y) => tf.sum(slerp(x!, y!, 0.25)), [a, a])) {
    for (const x of values(g)) expect(Number.isFinite(x)).toBe(true)
  }
})

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
