import { BadConfig, keyFromSeed, random } from "@millrace/core"
import {
  convertPrediction,
  ddimInverseStep,
  ddimStep,
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
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expect, test } from "vitest"
import { expectClose, values } from "./close.js"
import { eachOf, noisyExamples, noisyOf, rowsOf, timesOf } from "./diffusionExamples.js"
import { type Ddim, type Ddpm, ddimLaws, ddpmLaws } from "./diffusionStepLaws.js"
import { float, gradient, grid, ids, real } from "./examples.js"
import { type Guide, guideLaws } from "./guidanceLaws.js"
import { broken, law, verify } from "./law.js"
import { type Respacing, respacingLaws } from "./respacingLaws.js"
import { type Slerp, slerpLaws } from "./slerpLaws.js"

const ddim: Ddim = { step: ddimStep, inverse: ddimInverseStep }
const respacing: Respacing = { spaced: spacedSteps, respace }

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
  // 199 / 9 = 22.1 apart, then from 200 on again; two of a section are its ends.
  expect(fast.slice(0, 10)).toEqual([0, 22, 44, 66, 88, 111, 133, 155, 177, 199])
  expect(fast.slice(10, 12)).toEqual([200, 222])
  expect(fast.slice(20)).toEqual([400, 500, 599, 600, 799, 800, 997])
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

// --- broken ones

const zeros = (x: tf.Tensor): tf.Tensor => tf.zerosLike(x)
const ddpmMutants: ReadonlyArray<readonly [string, Ddpm, string]> = [
  [
    "that draws at the last step too",
    ({ mean, logVariance }, noise) => tf.add(mean, tf.mul(tf.exp(tf.mul(0.5, logVariance)), noise)),
    "the first step of the schedule draws nothing",
  ],
  [
    "that takes the variance for the deviation",
    (s, noise, time) => ddpmStep({ ...s, logVariance: tf.mul(2, s.logVariance) }, noise, time),
    "noise moves it by the deviation, up and down alike",
  ],
  [
    "that moves the start",
    (s, noise, time) => ddpmStep({ ...s, mean: tf.mul(0.9, s.start) }, noise, time),
    "without noise it is the mean",
  ],
]
test.each(ddpmMutants)("an ancestral step %s breaks a law", (_, step, name) => {
  expect(broken(ddpmLaws(step))).toContain(name)
})

const withStep = (step: Ddim["step"]): Ddim => ({ ...ddim, step })
const withInverse = (inverse: Ddim["inverse"]): Ddim => ({ ...ddim, inverse })
const noSigma: Ddim["step"] = (s, start, noisy, time, by, noise) => {
  const still = ddimStep(s, start, noisy, time, 0, null)
  return noise === null
    ? still
    : tf.add(
        still,
        tf.sub(ddimStep(s, start, noisy, time, by, noise), ddimStep(s, start, noisy, time, by, zeros(noise))),
      )
}
const shiftedAlphas: Ddim["step"] = (s, ...rest) => ddimStep({ ...s, alphaBarBefore: s.alphaBar }, ...rest)
const ddimMutants: ReadonlyArray<readonly [string, Ddim, string]> = [
  [
    "that forgets σ² beneath the root",
    withStep(noSigma),
    "η = 1 has the mean of q(x_{t−1} | x_t, x₀), and β̃ for its variance",
  ],
  [
    "that forgets σ² beneath the root",
    withStep(noSigma),
    "for every η data that is noised is as if it had been noised a step less",
  ],
  [
    "with η² for η",
    withStep((s, a, x, t, by, z) => ddimStep(s, a, x, t, by * by, z)),
    "the deviation is proportional to η",
  ],
  ["that draws for η = 0", withStep((s, a, x, t, by, z) => ddimStep(s, a, x, t, by + 0.1, z)), "η = 0 draws nothing"],
  [
    "that stays at its own ᾱ",
    withStep(shiftedAlphas),
    "with one noise predicted all the way down, the start comes back",
  ],
  [
    "that stays at its own ᾱ",
    withStep(shiftedAlphas),
    "a step and an inverse step that predict one noise undo each other",
  ],
  [
    "whose inverse goes down",
    withInverse((s, a, x, t) => ddimStep(s, a, x, t, 0, null)),
    "with one noise predicted all the way up, the inverse steps are the forward process",
  ],
  [
    "whose inverse keeps some of the data at the end",
    withInverse((s, ...rest) =>
      ddimInverseStep({ ...s, alphaBarAfter: s.alphaBarAfter.map((a) => (a === 0 ? 0.5 : a)) }, ...rest),
    ),
    "the last inverse step leaves the noise alone",
  ],
]
test.each(ddimMutants)("a DDIM step %s breaks a law", (_, steps, name) => {
  expect(broken(ddimLaws(steps, posteriorMean))).toContain(name)
})

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

const withSpaced = (spaced: Respacing["spaced"]): Respacing => ({ ...respacing, spaced })
const respacingMutants: ReadonlyArray<readonly [string, Respacing, string]> = [
  [
    "that leaves the last step out",
    withSpaced((n, s) => spacedSteps(n, s).slice(0, -1)),
    "as many steps stay as were asked for, rising, each within its section",
  ],
  [
    "that rounds down and to the first",
    withSpaced((n, s) =>
      /^\d+$/.test(s) && Number(s) > 2
        ? Array.from({ length: Number(s) }, (_, i) => (i < Number(s) - 1 ? i : n - 1))
        : spacedSteps(n, s),
    ),
    "the steps of a section lie evenly, to half a step",
  ],
  [
    "whose DDIM steps begin at 1",
    withSpaced((n, s) => spacedSteps(n, s).map((t) => t + 1)),
    "ddim keeps every k-th step from the first",
  ],
  [
    "that keeps the β of the kept steps",
    {
      ...respacing,
      respace: (s, kept) =>
        noiseScheduleOf(
          kept.map((t) => s.beta[t]!),
          kept.map((t) => s.times[t]!),
        ),
    },
    "a kept step's ᾱ stays what it was, and its network is told the time it was",
  ],
  [
    "that drops the first step",
    { ...respacing, respace: (s, kept) => (kept.length > 1 ? respace(s, kept.slice(1)) : respace(s, kept)) },
    "keeping all changes nothing",
  ],
  [
    "that forgets the times of the schedule that it is given",
    { ...respacing, respace: (s, kept) => ({ ...respace(s, kept), times: Int32Array.from(kept) }) },
    "respacing twice is respacing once by what is left",
  ],
]
test.each(respacingMutants)("a respacing %s breaks a law", (_, broke, name) => {
  expect(broken(respacingLaws(broke, noiseSchedule))).toContain(name)
})

const lerp: Slerp = (a, b, t) => tf.add(tf.mul(a, tf.sub(1, t)), tf.mul(b, t))
const unit = (x: tf.Tensor): tf.Tensor => tf.div(x, tf.norm(x, "euclidean", -1, true))
const slerpMutants: ReadonlyArray<readonly [string, Slerp, string]> = [
  ["that goes the other way", (a, b, t) => slerp(b, a, t), "a share of 0 is the first vector, of 1 the second"],
  ["along the chord", lerp, "between unit vectors all are unit vectors"],
  ["with the share squared", (a, b, t) => slerp(a, b, tf.square(t)), "the way back is the way"],
  ["along the chord, then normalised", (a, b, t) => unit(lerp(a, b, t)), "the angle grows evenly"],
  [
    "by the arc cosine",
    (a, b, t) => {
      const angle = tf.acos(tf.sum(tf.mul(a, b), -1, true))
      const part = (of: tf.Tensor | number) => tf.div(tf.sin(tf.mul(angle, of)), tf.sin(angle))
      return tf.add(tf.mul(a, part(tf.sub(1, t))), tf.mul(b, part(t)))
    },
    "a vector and itself, or nearly so, give it back",
  ],
  [
    "by the first row's share",
    (a, b, t) => slerp(a, b, typeof t === "number" ? t : values(t)[0]!),
    "each row has its own share",
  ],
]
test.each(slerpMutants)("an interpolation %s breaks a law", (_, broke, name) => {
  expect(broken(slerpLaws(broke))).toContain(name)
})

test("every law of steps, guidance, respacing and interpolation refuses one of them", () => {
  const named = (mutants: ReadonlyArray<readonly [string, unknown, string]>) =>
    new Set(mutants.map(([, , name]) => name))
  const all = (laws: ReadonlyArray<{ readonly name: string }>) => new Set(laws.map(({ name }) => name))
  expect(named(ddpmMutants)).toEqual(all(ddpmLaws(ddpmStep)))
  expect(named(ddimMutants)).toEqual(all(ddimLaws(ddim, posteriorMean)))
  expect(named(guideMutants)).toEqual(all(guideLaws(guide)))
  expect(named(respacingMutants)).toEqual(all(respacingLaws(respacing, noiseSchedule)))
  expect(named(slerpMutants)).toEqual(all(slerpLaws(slerp)))
})
