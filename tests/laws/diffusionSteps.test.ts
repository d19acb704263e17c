import { ddimInverseStep, ddimStep, ddpmStep, noiseScheduleOf, posteriorMean, reverse } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expect, test } from "vitest"
import { expectClose } from "./close.js"
import { type Ddim, type Ddpm, ddimLaws, ddpmLaws } from "./diffusionStepLaws.js"
import { float, grid, ids } from "./examples.js"
import { broken, law, verify } from "./law.js"

const ddim: Ddim = { step: ddimStep, inverse: ddimInverseStep }

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

test("every law of steps refuses one of them", () => {
  expect(new Set(ddpmMutants.map(([, , name]) => name))).toEqual(new Set(ddpmLaws(ddpmStep).map(({ name }) => name)))
  expect(new Set(ddimMutants.map(([, , name]) => name))).toEqual(
    new Set(ddimLaws(ddim, posteriorMean).map(({ name }) => name)),
  )
})
