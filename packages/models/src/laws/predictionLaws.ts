import { expectClose, expectThat, type Law, law, real, values } from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import type { Parametrisation } from "../diffusion/parametrisation.js"
import type { NoiseSchedule } from "../diffusion/schedule.js"
import { eachOf, type NoisyExample, noisyExamples, noisyOf, rowsOf, timesOf, velocityOf } from "./diffusionExamples.js"

type Step = (schedule: NoiseSchedule, a: tf.Tensor, b: tf.Tensor, time: tf.Tensor) => tf.Tensor

/** A prediction of one kind, with what was noised and its times, to one of another kind. */
export type ConvertPrediction = (
  schedule: NoiseSchedule,
  way: { readonly from: Parametrisation; readonly to: Parametrisation },
  prediction: tf.Tensor,
  noisy: tf.Tensor,
  time: tf.Tensor,
) => tf.Tensor

const names = fc.constantFrom<Parametrisation>("noise", "start", "velocity")
const ways = fc.record({ from: names, to: names })
/** Errors of float32 grow by what one prediction says of another. */
const loose = { relative: 1e-4, absolute: 1e-4 }

const truth = (e: NoisyExample): Readonly<Record<Parametrisation, ReadonlyArray<number>>> => ({
  noise: e.noise,
  start: e.start,
  velocity: velocityOf(e),
})

/** What conversions between ε, x₀ and v obey. */
export const convertLaws = (convert: ConvertPrediction): ReadonlyArray<Law> => {
  const at = (e: NoisyExample, way: Parameters<ConvertPrediction>[1], flat: ReadonlyArray<number>): tf.Tensor =>
    convert(e.schedule, way, rowsOf(e, flat), rowsOf(e, noisyOf(e)), timesOf(e))
  return [
    law("of the true ε, x₀ or v it makes the true others", fc.tuple(noisyExamples(), ways), ([e, way]) => {
      expectClose(at(e, way, truth(e)[way.from]), truth(e)[way.to], loose)
    }),
    law(
      "there and back again is the identity, of wrong predictions too",
      fc.tuple(noisyExamples(), ways),
      ([e, { from, to }]) => {
        expectClose(at(e, { from: to, to: from }, values(at(e, { from, to }, e.other))), e.other, loose)
      },
    ),
    law("x_t² + v² = x₀² + ε²: a rotation", noisyExamples(), (e) => {
      const square = (flat: ReadonlyArray<number>) => flat.map((x) => x ** 2)
      const sum = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) => a.map((x, i) => x + b[i]!)
      const v = values(at(e, { from: "noise", to: "velocity" }, e.noise))
      expectClose(sum(square(noisyOf(e)), square(v)), sum(square(e.start), square(e.noise)), loose)
    }),
    law("the noise of a start is −√(1 − ᾱ) times the slope of log q(x_t | x₀)", noisyExamples(), (e) => {
      const slope = noisyOf(e).map((x, i) => {
        const left = eachOf(e, e.schedule.alphaBar)[i]!
        const log = (z: number): number => -((z - Math.sqrt(left) * e.other[i]!) ** 2) / (2 * (1 - left))
        return -Math.sqrt(1 - left) * ((log(x + 1e-4) - log(x - 1e-4)) / 2e-4)
      })
      expectClose(at(e, { from: "start", to: "noise" }, e.other), slope, loose)
    }),
    law("it is affine, so it commutes with guidance", fc.tuple(noisyExamples(), ways, real(4)), ([e, way, s]) => {
      const mix = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) => a.map((x, i) => x + s * (b[i]! - x))
      const apart = mix(values(at(e, way, e.other)), values(at(e, way, e.noise)))
      expectClose(at(e, way, mix(e.other, e.noise)), apart, { relative: 1e-3, absolute: 1e-4 })
    }),
  ]
}

/** For each step, what a squared error of one kind of prediction is times as one of another. */
export type ErrorWeightsOf = (schedule: NoiseSchedule, from: Parametrisation, to: Parametrisation) => Float64Array

/** What the weights between squared errors obey; `convert` is the conversion that they belong to. */
export const errorWeightLaws = (weights: ErrorWeightsOf, convert: ConvertPrediction): ReadonlyArray<Law> => [
  law("from noise to start it is (1 − ᾱ) / ᾱ, to velocity 1 / ᾱ", noisyExamples(), ({ schedule }) => {
    const [start, velocity] = [weights(schedule, "noise", "start"), weights(schedule, "noise", "velocity")]
    schedule.alphaBar.forEach((left, t) => {
      expectClose([start[t]! * left, velocity[t]! * left], [1 - left, 1], { relative: 1e-12, absolute: 0 })
    })
  }),
  law("it is what two predictions' squared distance grows by", fc.tuple(noisyExamples(), ways), ([e, way]) => {
    const to = (flat: ReadonlyArray<number>) =>
      values(convert(e.schedule, way, rowsOf(e, flat), rowsOf(e, noisyOf(e)), timesOf(e)))
    const weight = eachOf(e, weights(e.schedule, way.from, way.to))
    const [a, b] = [to(e.noise), to(e.other)]
    const after = a.map((x, i) => (x - b[i]!) ** 2)
    expectClose(
      after,
      e.noise.map((x, i) => weight[i]! * (x - e.other[i]!) ** 2),
      { relative: 1e-3, absolute: 1e-3 },
    )
  }),
  law("there and back again they cancel", fc.tuple(noisyExamples(), ways), ([{ schedule }, { from, to }]) => {
    const [there, back] = [weights(schedule, from, to), weights(schedule, to, from)]
    there.forEach((w, t) => {
      expectClose(w * back[t]!, 1, { relative: 1e-9, absolute: 0 })
    })
  }),
]

/** What the mean of q(x_{t−1} | x_t, x₀) obeys. */
export const posteriorLaws = (posterior: Step): ReadonlyArray<Law> => {
  const factors = (e: NoisyExample) => {
    const [one, zero] = [e.start.map(() => 1), e.start.map(() => 0)]
    const at = (start: ReadonlyArray<number>, noisy: ReadonlyArray<number>) =>
      values(posterior(e.schedule, rowsOf(e, start), rowsOf(e, noisy), timesOf(e)))
    return { ofStart: at(one, zero), ofNoisy: at(zero, one) }
  }
  const any = noisyExamples([0, 1])
  return [
    law("of a noiseless x_t it is a noiseless x_{t−1}: c₁ + c₂ √ᾱ_t = √ᾱ_{t−1}", any, (e) => {
      const { ofStart, ofNoisy } = factors(e)
      const [now, before] = [eachOf(e, e.schedule.alphaBar), eachOf(e, e.schedule.alphaBarBefore)]
      expectClose(
        ofStart.map((c, i) => c + ofNoisy[i]! * Math.sqrt(now[i]!)),
        before.map(Math.sqrt),
      )
    }),
    law("with β̃ it has the forward process's variance: c₂² (1 − ᾱ_t) + β̃ = 1 − ᾱ_{t−1}", any, (e) => {
      const { ofNoisy } = factors(e)
      const [now, before] = [eachOf(e, e.schedule.alphaBar), eachOf(e, e.schedule.alphaBarBefore)]
      const variance = eachOf(e, e.schedule.posteriorVariance)
      expectClose(
        ofNoisy.map((c, i) => c ** 2 * (1 - now[i]!) + variance[i]!),
        before.map((a) => 1 - a),
      )
    }),
    law(
      "it is the mean of q(x_t | x_{t−1}) and q(x_{t−1} | x₀), weighed by their precisions",
      noisyExamples([0, 0.9]),
      (e) => {
        const [x, variance] = [noisyOf(e), eachOf(e, e.schedule.posteriorVariance)]
        const [beta, before] = [eachOf(e, e.schedule.beta), eachOf(e, e.schedule.alphaBarBefore)]
        const wanted = x.map((xt, i) => {
          // The first step has x₀ itself before it.
          if (before[i] === 1) return e.other[i]!
          const fromNoisy = (Math.sqrt(1 - beta[i]!) * xt) / beta[i]!
          return variance[i]! * (fromNoisy + (Math.sqrt(before[i]!) * e.other[i]!) / (1 - before[i]!))
        })
        expectClose(posterior(e.schedule, rowsOf(e, e.other), rowsOf(e, x), timesOf(e)), wanted)
      },
    ),
    law("at the first step it is the start, whatever x_t is", any, (e) => {
      const first = tf.zerosLike(timesOf(e))
      expectClose(posterior(e.schedule, rowsOf(e, e.start), rowsOf(e, e.other), first), e.start)
    }),
  ]
}

/** `v` in, ln of the variance out. */
export type LearnedVarianceOf = (schedule: NoiseSchedule, v: tf.Tensor, time: tf.Tensor) => tf.Tensor

/** What a learned variance obeys. */
export const varianceLaws = (log: LearnedVarianceOf): ReadonlyArray<Law> => {
  const any = noisyExamples([0, 1])
  const at = (e: NoisyExample, v: ReadonlyArray<number>) => values(log(e.schedule, rowsOf(e, v), timesOf(e)))
  const limits = (e: NoisyExample) => ({
    small: eachOf(e, e.schedule.posteriorLogVariance),
    large: eachOf(e, e.schedule.beta.map(Math.log)),
  })
  return [
    law("v = −1 is ln β̃ and v = 1 is ln β", any, (e) => {
      const { small, large } = limits(e)
      expectClose(
        at(
          e,
          e.start.map(() => -1),
        ),
        small,
      )
      expectClose(
        at(
          e,
          e.start.map(() => 1),
        ),
        large,
      )
    }),
    law("for v from −1 to 1 it lies between ln β̃ and ln β", any, (e) => {
      const { small, large } = limits(e)
      // The first step's β̃ is another's, and may be above its β.
      at(e, e.start).forEach((x, i) => {
        const [low, high] = [Math.min(small[i]!, large[i]!), Math.max(small[i]!, large[i]!)]
        expectThat(x >= low - 1e-5 && x <= high + 1e-5, () => `${x} is not between ${low} and ${high}`)
      })
    }),
    law("it is affine in v, beyond the limits too", fc.tuple(any, real(4)), ([e, s]) => {
      const [a, b] = [at(e, e.other), at(e, e.noise)]
      const mixed = at(
        e,
        e.other.map((x, i) => x + s * (e.noise[i]! - x)),
      )
      expectClose(
        mixed,
        a.map((x, i) => x + s * (b[i]! - x)),
        { relative: 1e-4, absolute: 1e-4 },
      )
    }),
  ]
}
