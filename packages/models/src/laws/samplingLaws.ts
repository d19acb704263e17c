import {
  expectClose,
  expectSame,
  expectThat,
  float,
  type Law,
  law,
  logits,
  real,
  size,
  values,
} from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import type { SamplingTransform } from "../sample/transform.js"

/** The logits [b v] that are sampled from, from a model's. */
export type Sampling = (logits: tf.Tensor, how: SamplingTransform) => tf.Tensor

type Numbers = ReadonlyArray<number>

const some = size(2, 8).chain((v) => logits([1, v]))
const share = size(1, 64).map((n) => n / 64)
const any = fc.record({
  temperature: fc.constantFrom(0, 0.01, 0.5, 1, 3),
  topK: size(1, 8),
  topP: share,
})

const softmax = (x: Numbers): Numbers => {
  const top = Math.max(...x)
  const e = x.map((v) => Math.exp(v - top))
  const sum = e.reduce((a, b) => a + b, 0)
  return e.map((v) => v / sum)
}

/**
 * What temperature, top-k and top-p obey.
 * @source Fan et al. 2018; Holtzman et al. 2020, with the token that crosses p kept
 */
export const samplingLaws = (sampling: Sampling): ReadonlyArray<Law> => {
  const at = (x: Numbers, how: SamplingTransform): Numbers => values(sampling(float([1, x.length], x), how))
  /** Filtered tokens have a probability of exactly 0 in float32. */
  const kept = (x: Numbers, how: SamplingTransform): ReadonlyArray<boolean> => {
    const out = at(x, how)
    const top = Math.max(...out)
    return out.map((v) => v > top - 1e8)
  }
  const within = (a: ReadonlyArray<boolean>, b: ReadonlyArray<boolean>): boolean => a.every((is, i) => !is || b[i]!)
  const names = (a: ReadonlyArray<boolean>): string => a.map(Number).join("")

  return [
    law("nothing given, nothing changes", some, (x) => expectSame(at(x, {}), x)),
    law("temperature 1 changes nothing", some, (x) => expectClose(softmax(at(x, { temperature: 1 })), softmax(x))),
    law("temperature 0 takes the most probable token alone, the first of equals", some, (x) => {
      const best = x.indexOf(Math.max(...x))
      expectSame(
        kept(x, { temperature: 0 }).map(Number),
        x.map((_, i) => (i === best ? 1 : 0)),
      )
    }),
    law("a temperature divides the differences of logits", fc.tuple(some, size(1, 12)), ([x, n]) => {
      const temperature = n / 4
      expectClose(softmax(at(x, { temperature })), softmax(x.map((v) => v / temperature)))
    }),
    law("top-k sets are nested in k", fc.tuple(some, size(1, 8)), ([x, k]) => {
      const [few, many] = [kept(x, { topK: k }), kept(x, { topK: k + 1 })]
      expectThat(within(few, many), () => `${names(few)} is not within ${names(many)}`)
    }),
    law("top-k keeps the k most probable tokens and their equals", fc.tuple(some, size(1, 8)), ([x, k]) => {
      const least = [...x].sort((a, b) => b - a)[Math.min(k, x.length) - 1]!
      expectSame(
        kept(x, { topK: k }).map(Number),
        x.map((v) => (v >= least ? 1 : 0)),
      )
    }),
    law("k of the size of the vocabulary changes nothing", some, (x) => expectSame(at(x, { topK: x.length }), x)),
    law("top-p sets are nested in p", fc.tuple(some, share, share), ([x, p, q]) => {
      const [few, many] = [kept(x, { topP: Math.min(p, q) }), kept(x, { topP: Math.max(p, q) })]
      expectThat(within(few, many), () => `${names(few)} is not within ${names(many)}`)
    }),
    law("top-p keeps a mass of at least p", fc.tuple(some, share), ([x, p]) => {
      const probabilities = softmax(x)
      const mass = kept(x, { topP: p }).reduce((sum, is, i) => sum + (is ? probabilities[i]! : 0), 0)
      expectThat(mass >= p - 1e-5, () => `a mass of ${mass} for p = ${p}`)
    }),
    law("top-p keeps no token that is less probable than what reaches p", fc.tuple(some, share), ([x, p]) => {
      const probabilities = softmax(x)
      kept(x, { topP: p }).forEach((is, i) => {
        const before = probabilities.filter((q) => q > probabilities[i]!).reduce((a, b) => a + b, 0)
        expectThat(!is || before < p + 1e-5, () => `token ${i} is kept after a mass of ${before}, p = ${p}`)
      })
    }),
    law("p = 1 changes nothing", some, (x) => expectSame(at(x, { topP: 1 }), x)),
    law("the most probable token is never filtered out", fc.tuple(some, any), ([x, how]) => {
      expectThat(kept(x, how)[x.indexOf(Math.max(...x))]!, () => names(kept(x, how)))
    }),
    law("what is kept keeps its proportions", fc.tuple(some, size(1, 8), share), ([x, topK, topP]) => {
      const how = { topK, topP }
      const [is, out] = [kept(x, how), at(x, how)]
      const of = (numbers: Numbers): Numbers => softmax(numbers.filter((_, i) => is[i]))
      expectClose(of(out), of(x))
    }),
    law("adding a constant to the logits filters the same tokens", fc.tuple(some, real(8), any), ([x, c, how]) => {
      // Away from where rounding could decide: numbers that are apart, or equal.
      fc.pre(how.topP === 1 || x.every((v) => Math.abs(v) < 100))
      const whole = { ...how, topP: how.topP > 0.9 ? 1 : how.topP }
      const moved = x.map((v) => v + c)
      fc.pre(names(kept(x, { ...whole, topP: Math.max(0, whole.topP - 1e-4) })) === names(kept(x, whole)))
      expectSame(kept(moved, whole).map(Number), kept(x, whole).map(Number))
    }),
  ]
}
