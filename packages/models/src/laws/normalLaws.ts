import { expectClose, expectGradient, expectThat, float, grid, type Law, law, real, values } from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import type { Normal } from "../diffusion/normalKl.js"
import { discretisedReference, klReference } from "./reference/diffusion.js"

/** KL(p ‖ q) of normal distributions, entry by entry. */
export type NormalKlOf = (p: Normal, q: Normal) => tf.Tensor

const four = fc.tuple(real(2), real(3), real(2), real(3))
const vector = (x: ReadonlyArray<number>) => float([x.length], x)
const normal = (mean: number, log: number): Normal => ({ mean: vector([mean]), logVariance: vector([log]) })

/** What the KL of two normal distributions obeys. */
export const normalKlLaws = (kl: NormalKlOf): ReadonlyArray<Law> => {
  const at = (m: number, a: number, n: number, b: number): number => values(kl(normal(m, a), normal(n, b)))[0]!
  return [
    law("it is the integral of p ln(p / q)", four, ([m, a, n, b]) => {
      const [s, steps] = [Math.exp(a / 2), 2000]
      const log = (x: number, mean: number, l: number): number =>
        -0.5 * (Math.log(2 * Math.PI) + l + (x - mean) ** 2 / Math.exp(l))
      let sum = 0
      for (let i = 0; i < steps; i++) {
        const x = m + s * (-10 + (20 * (i + 0.5)) / steps)
        sum += Math.exp(log(x, m, a)) * (log(x, m, a) - log(x, n, b)) * ((20 * s) / steps)
      }
      expectClose(at(m, a, n, b), sum)
    }),
    law("it is at least 0, and 0 for equal distributions alone", four, ([m, a, n, b]) => {
      expectClose(at(m, a, m, a), 0)
      const found = at(m, a, n, b)
      // The least that such a distance can be: see the second order in each of the two.
      const apart = Math.min(1, Math.max(Math.abs(m - n) / Math.exp(b / 2), Math.abs(a - b)))
      expectThat(found >= 0.1 * apart ** 2 - 1e-6, () => `${found} at a distance of ${apart}`)
    }),
    law(
      "it does not change where both move, or are stretched by one factor",
      fc.tuple(four, real(2), real(1)),
      ([[m, a, n, b], by, log]) => {
        expectClose(at(m + by, a, n + by, b), at(m, a, n, b), { relative: 1e-4, absolute: 1e-5 })
        const c = Math.exp(log)
        expectClose(at(c * m, a + 2 * log, c * n, b + 2 * log), at(m, a, n, b), { relative: 1e-4, absolute: 1e-5 })
      },
    ),
    law(
      "it has the value and the gradients of the float64 reference",
      fc.tuple(grid([3], real(1)), grid([3], real(1)), grid([3], real(1)), grid([3], real(1))),
      (lists) => {
        expectGradient(
          (m, a, n, b) => tf.sum(kl({ mean: m!, logVariance: a! }, { mean: n!, logVariance: b! })),
          (m, a, n, b) => m!.reduce((sum, x, i) => sum + klReference(x, a![i]!, n![i]!, b![i]!), 0),
          lists.map((data) => ({ shape: [3], data })),
        )
      },
    ),
  ]
}

/** 8-bit data in [−1, 1] to the logarithm of its probability, entry by entry. */
export type DiscretisedOf = (data: tf.Tensor, p: Normal) => tf.Tensor

const levels = Array.from({ length: 256 }, (_, i) => (2 * i) / 255 - 1)
const level = fc.integer({ min: 0, max: 255 }).map((i) => levels[i]!)
/** ln σ² from a tenth of a level's width to far beyond all of them. */
const spread = fc.integer({ min: -14 * 64, max: 4 * 64 }).map((n) => n / 64)

/** Two to four deviations from the mean, where a distribution function is all but 0 or 1. */
const tails = fc
  .tuple(level, fc.integer({ min: -8 * 64, max: 0 }), fc.integer({ min: 128, max: 256 }), fc.constantFrom(1, -1))
  .map(([x, log, n, side]): [number, number, number] => {
    const off = (side * n * Math.exp(log / 128)) / 64
    return [x, Math.fround(x + off), log / 64]
  })

/** What the log-probability of 8-bit data obeys. */
export const discretisedLaws = (logProb: DiscretisedOf): ReadonlyArray<Law> => {
  const at = (x: ReadonlyArray<number>, mean: number, log: number): ReadonlyArray<number> =>
    values(logProb(vector(x), { mean: vector(x.map(() => mean)), logVariance: vector(x.map(() => log)) }))
  return [
    law("the probabilities of the 256 values add up to 1", fc.tuple(real(2), spread), ([mean, log]) => {
      expectClose(
        at(levels, mean, log).reduce((sum, x) => sum + Math.exp(x), 0),
        1,
      )
    }),
    law("it is at most 0 and never below ln 10⁻¹²", fc.tuple(real(8), spread), ([mean, log]) => {
      for (const x of at(levels, mean, log)) expectThat(x <= 1e-6 && x >= Math.log(1e-12) - 1e-4, () => `${x}`)
    }),
    law("negating the data and the mean changes nothing", fc.tuple(level, real(1), spread), ([x, mean, log]) => {
      expectClose(at([-x], -mean, log), at([x], mean, log), { relative: 1e-4, absolute: 1e-5 })
    }),
    law(
      "a narrow distribution gives all to the nearest value",
      fc.tuple(fc.integer({ min: 0, max: 255 }), real(1)),
      ([i, off]) => {
        expectClose(at([levels[i]!], levels[i]! + off / 512, -18), 0)
      },
    ),
    law(
      "it has the value of the float64 reference, in the tails too",
      fc.oneof(fc.tuple(level, real(1), spread), tails),
      ([x, mean, log]) => {
        expectClose(at([x], mean, log), discretisedReference(Math.fround(x), mean, log), {
          relative: 1e-3,
          absolute: 1e-4,
        })
      },
    ),
  ]
}
