import {
  distribution,
  expectClose,
  expectThat,
  float,
  grid,
  type Law,
  law,
  logSoftmax,
  real,
  size,
  values,
} from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

/** KL(policy ‖ reference) at each position, from logits [b t v]. */
export type ExactKl = (logits: tf.Tensor, reference: tf.Tensor) => tf.Tensor

/** An estimate at each token [b t], from log-probabilities of the policy's samples. */
export type KlEstimate = (logProb: tf.Tensor, reference: tf.Tensor) => tf.Tensor

const dot = (x: ReadonlyArray<number>, y: ReadonlyArray<number>): number => x.reduce((sum, v, i) => sum + v * y[i]!, 0)
const masses = (logP: ReadonlyArray<number>): Array<number> => logP.map(Math.exp)

/** The definition, in float64. */
const divergence = (p: ReadonlyArray<number>, q: ReadonlyArray<number>): number =>
  dot(
    masses(p),
    p.map((x, i) => x - q[i]!),
  )

const two = size(2, 6).chain((v) => fc.tuple(distribution(v), distribution(v)))

/** What the Kullback-Leibler divergence obeys. The chain rule and the enumeration tell its direction. */
export const klLaws = (kl: ExactKl): ReadonlyArray<Law> => {
  const at = (p: ReadonlyArray<number>, q: ReadonlyArray<number>): number =>
    values(kl(float([1, 1, p.length], p), float([1, 1, q.length], q)))[0]!
  return [
    law("it is Σ p log(p / q), enumerated", two, ([p, q]) => {
      expectClose(at(p, q), divergence(p, q))
    }),
    law(
      "it is 0 for equal distributions, whatever constant their logits differ by",
      fc.tuple(two, real(20)),
      ([[p], c]) => {
        expectClose(
          at(
            p,
            p.map((x) => x + c),
          ),
          0,
        )
      },
    ),
    law("it is at least ½ ‖p − q‖₁², so 0 for equal distributions alone", two, ([p, q]) => {
      const distance = masses(p).reduce((sum, mass, i) => sum + Math.abs(mass - Math.exp(q[i]!)), 0)
      const found = at(p, q)
      expectThat(found >= distance ** 2 / 2 - 1e-6, () => `${found} for distributions ${distance} apart`)
    }),
    law("adding constants to either logits never changes it", fc.tuple(two, real(20), real(20)), ([[p, q], c, d]) => {
      expectClose(
        at(
          p.map((x) => x + c),
          q.map((x) => x + d),
        ),
        at(p, q),
      )
    }),
    law(
      "the KL of a sequence is the sum of the conditional ones, in the mean over its beginnings",
      size(2, 4).chain((v) => {
        const next = fc.array(distribution(v), { minLength: v, maxLength: v })
        return fc.tuple(distribution(v), distribution(v), next, next)
      }),
      ([p, q, pNext, qNext]) => {
        const joint = (first: ReadonlyArray<number>, second: ReadonlyArray<ReadonlyArray<number>>) =>
          first.flatMap((x, i) => second[i]!.map((y) => x + y))
        const conditional = pNext.map((next, i) => at(next, qNext[i]!))
        expectClose(at(joint(p, pNext), joint(q, qNext)), at(p, q) + dot(masses(p), conditional))
      },
    ),
    law("from the uniform distribution it is ln v less the entropy", two, ([p]) => {
      const entropy = -dot(masses(p), p)
      expectClose(
        at(
          p,
          p.map(() => 0),
        ),
        Math.log(p.length) - entropy,
      )
    }),
    law("tokens that the policy excludes add nothing", two, ([p, q]) => {
      const excluded = [...p, Number.NEGATIVE_INFINITY]
      expectClose(at(excluded, [...q, 0]), divergence(p, logSoftmax([...q, 0]).slice(0, -1)))
    }),
  ]
}

/** What an estimator obeys: `unbiased` ones have the KL as their mean, `positive` ones are never negative. */
export const klEstimateLaws = (
  estimate: KlEstimate,
  { unbiased, positive }: { readonly unbiased: boolean; readonly positive: boolean },
): ReadonlyArray<Law> => {
  const at = (p: ReadonlyArray<number>, q: ReadonlyArray<number>): ReadonlyArray<number> =>
    values(estimate(float([1, p.length], p), float([1, q.length], q)))
  const laws = [
    law(
      "it is 0 where the probabilities are equal",
      size(1, 6).chain((t) => grid([t])),
      (p) => {
        expectClose(
          at(p, p),
          p.map(() => 0),
        )
      },
    ),
    law("it agrees with k2 to second order", fc.array(real(0.25), { minLength: 1, maxLength: 6 }), (x) => {
      const found = at(
        x,
        x.map(() => 0),
      )
      found.forEach((value, i) => {
        const size = Math.abs(x[i]!)
        const bound = (size ** 3 * Math.exp(size)) / 6 + 1e-6
        const order = positive ? x[i]! ** 2 / 2 : x[i]!
        expectThat(Math.abs(value - order) <= bound, () => `${value} at log r = ${-x[i]!}`)
      })
    }),
  ]
  if (unbiased) {
    laws.push(
      law("its mean over the policy's samples is the KL, enumerated", two, ([p, q]) => {
        expectClose(dot(masses(p), at(p, q)), divergence(p, q))
      }),
      law(
        "the mean over whole sequences is the sum of the conditional KLs",
        size(2, 3).chain((v) => {
          const next = fc.array(distribution(v), { minLength: v, maxLength: v })
          return fc.tuple(distribution(v), distribution(v), next, next)
        }),
        ([p, q, pNext, qNext]) => {
          let mean = 0
          p.forEach((first, a) => {
            for (const [b, second] of pNext[a]!.entries()) {
              const [k1, k2] = at([first, second], [q[a]!, qNext[a]![b]!])
              mean += Math.exp(first + second) * (k1! + k2!)
            }
          })
          const conditional = pNext.map((next, i) => divergence(next, qNext[i]!))
          expectClose(mean, divergence(p, q) + dot(masses(p), conditional))
        },
      ),
    )
  }
  if (positive) {
    laws.push(
      law("it is never negative, and 0 for equal probabilities alone", two, ([p, q]) => {
        at(p, q).forEach((value, i) => {
          expectThat(value >= 0, () => `${value} is negative`)
          const gap = Math.abs(p[i]! - q[i]!)
          expectThat(value > 0 || gap < 1e-3, () => `0 for probabilities e^${gap} apart`)
        })
      }),
    )
  }
  return laws
}
