import {
  ddimInverseStep,
  ddimStep,
  ddpmStep,
  guide,
  noiseSchedule,
  noiseScheduleOf,
  posteriorMean,
  respace,
  slerp,
  spacedSteps,
} from "@millrace/models"
import {
  type AncestralStepOf,
  type DdimSteps,
  ddimLaws,
  ddpmLaws,
  type GuideOf,
  guideLaws,
  type RespacingOf,
  respacingLaws,
  type SlerpOf,
  slerpLaws,
} from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { values } from "../close.js"
import { mutantSet } from "./mutantSet.js"

export const ddim: DdimSteps = { step: ddimStep, inverse: ddimInverseStep }
export const respacing: RespacingOf = { spaced: spacedSteps, respace }
const zeros = (x: tf.Tensor): tf.Tensor => tf.zerosLike(x)
const withStep = (step: DdimSteps["step"]): DdimSteps => ({ ...ddim, step })
const withInverse = (inverse: DdimSteps["inverse"]): DdimSteps => ({ ...ddim, inverse })

const noSigma: DdimSteps["step"] = (s, start, noisy, time, by, noise) => {
  const still = ddimStep(s, start, noisy, time, 0, null)
  return noise === null
    ? still
    : tf.add(
        still,
        tf.sub(ddimStep(s, start, noisy, time, by, noise), ddimStep(s, start, noisy, time, by, zeros(noise))),
      )
}

const shiftedAlphas: DdimSteps["step"] = (s, ...rest) => ddimStep({ ...s, alphaBarBefore: s.alphaBar }, ...rest)
const withSpaced = (spaced: RespacingOf["spaced"]): RespacingOf => ({ ...respacing, spaced })
const lerp: SlerpOf = (a, b, t) => tf.add(tf.mul(a, tf.sub(1, t)), tf.mul(b, t))
const unit = (x: tf.Tensor): tf.Tensor => tf.div(x, tf.norm(x, "euclidean", -1, true))

export const ddpmMutants = mutantSet<AncestralStepOf>({
  subject: "ancestral step",
  laws: ddpmLaws,
  real: ddpmStep,
  mutants: {
    "that draws at the last step too": ({ mean, logVariance }, noise) =>
      tf.add(mean, tf.mul(tf.exp(tf.mul(0.5, logVariance)), noise)),
    "that takes the variance for the deviation": (s, noise, time) =>
      ddpmStep({ ...s, logVariance: tf.mul(2, s.logVariance) }, noise, time),
    "that moves the start": (s, noise, time) => ddpmStep({ ...s, mean: tf.mul(0.9, s.start) }, noise, time),
  },
})

export const ddimMutants = mutantSet<DdimSteps>({
  subject: "DDIM step and its inverse",
  laws: (steps) => ddimLaws(steps, posteriorMean),
  real: ddim,
  mutants: {
    "that forgets σ² beneath the root": withStep(noSigma),
    "with η² for η": withStep((s, a, x, t, by, z) => ddimStep(s, a, x, t, by * by, z)),
    "that draws for η = 0": withStep((s, a, x, t, by, z) => ddimStep(s, a, x, t, by + 0.1, z)),
    "that stays at its own ᾱ": withStep(shiftedAlphas),
    "whose inverse goes down": withInverse((s, a, x, t) => ddimStep(s, a, x, t, 0, null)),
    "whose inverse keeps some of the data at the end": withInverse((s, ...rest) =>
      ddimInverseStep({ ...s, alphaBarAfter: s.alphaBarAfter.map((a) => (a === 0 ? 0.5 : a)) }, ...rest),
    ),
  },
})

export const guideMutants = mutantSet<GuideOf>({
  subject: "guidance",
  laws: guideLaws,
  real: guide,
  mutants: {
    "by w = scale − 1": (c, u, s, n) => guide(c, u, s + 1, n),
    "by the square of the scale": (c, u, s, n) => guide(c, u, s * Math.abs(s), n),
    "that grows with the scale": (c, u, s, n) => tf.mul(guide(c, u, s, n), 1 + 0.1 * s),
    "of the variance too": (c, u, s) => guide(c, u, s, c.shape.at(-1)!),
    "of the first half alone": (c, u, s) => guide(c, u, s, Math.ceil(c.shape.at(-1)! / 2)),
    "that clamps": (c, u, s, n) => tf.clipByValue(guide(c, u, s, n), -1, 1),
  },
})

export const respacingMutants = mutantSet<RespacingOf>({
  subject: "respacing",
  laws: (each) => respacingLaws(each, noiseSchedule),
  real: respacing,
  mutants: {
    "that leaves the last step out": withSpaced((n, s) => spacedSteps(n, s).slice(0, -1)),
    "that rounds down and to the first": withSpaced((n, s) =>
      /^\d+$/.test(s) && Number(s) > 2
        ? Array.from({ length: Number(s) }, (_, i) => (i < Number(s) - 1 ? i : n - 1))
        : spacedSteps(n, s),
    ),
    "whose DDIM steps begin at 1": withSpaced((n, s) => spacedSteps(n, s).map((t) => t + 1)),
    "that keeps the β of the kept steps": {
      ...respacing,
      respace: (s, kept) =>
        noiseScheduleOf(
          kept.map((t) => s.beta[t]!),
          kept.map((t) => s.times[t]!),
        ),
    },
    "that drops the first step": {
      ...respacing,
      respace: (s, kept) => (kept.length > 1 ? respace(s, kept.slice(1)) : respace(s, kept)),
    },
    "that forgets the times of the schedule that it is given": {
      ...respacing,
      respace: (s, kept) => ({ ...respace(s, kept), times: Int32Array.from(kept) }),
    },
  },
})

export const slerpMutants = mutantSet<SlerpOf>({
  subject: "spherical interpolation",
  laws: slerpLaws,
  real: slerp,
  mutants: {
    "that goes the other way": (a, b, t) => slerp(b, a, t),
    "along the chord": lerp,
    "with the share squared": (a, b, t) => slerp(a, b, tf.square(t)),
    "along the chord, then normalised": (a, b, t) => unit(lerp(a, b, t)),
    "by the arc cosine": (a, b, t) => {
      const angle = tf.acos(tf.sum(tf.mul(a, b), -1, true))
      const part = (of: tf.Tensor | number) => tf.div(tf.sin(tf.mul(angle, of)), tf.sin(angle))
      return tf.add(tf.mul(a, part(tf.sub(1, t))), tf.mul(b, part(t)))
    },
    "by the first row's share": (a, b, t) => slerp(a, b, typeof t === "number" ? t : values(t)[0]!),
  },
})
