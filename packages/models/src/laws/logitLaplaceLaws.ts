import {
  expectClose,
  expectGradient,
  expectSame,
  expectThat,
  float,
  grid,
  type Law,
  law,
  real,
  size,
  values,
} from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { logitLaplaceReference } from "./reference/dvae.js"

/** Numbers in (0, 1), locations and logarithms of scales, each b y x c, to −ln of their densities, b y x c. */
export type SurpriseOf = (x: tf.Tensor, mean: tf.Tensor, logWidth: tf.Tensor) => tf.Tensor

const sigmoid = (l: number): number => 1 / (1 + Math.exp(-l))
const logit = (x: number): number => Math.log(x / (1 - x))
const mean = (x: ReadonlyArray<number>): number => x.reduce((a, b) => a + b, 0) / x.length

/** Multiples of 1/1024 that a mapped pixel can be, 0.1 to 0.9. */
const pixel = fc.integer({ min: 103, max: 921 }).map((n) => n / 1024)
const width = real(2)

const examples = size(1, 6).chain((n) =>
  fc.record({ x: grid([n], pixel), mean: grid([n], real(3)), logWidth: grid([n], width) }),
)

/** Half the width of a step of the quadrature, in logits. */
const half = 0.004

/**
 * What the surprise of a logit-Laplace distribution obeys.
 * @source Ramesh et al. 2021, equation 2
 */
export const logitLaplaceLaws = (surprise: SurpriseOf): ReadonlyArray<Law> => {
  const at = (x: ReadonlyArray<number>, means: ReadonlyArray<number>, widths: ReadonlyArray<number>) => {
    const shape = [1, 1, x.length, 1]
    return values(surprise(float(shape, x), float(shape, means), float(shape, widths)))
  }
  const every = (x: ReadonlyArray<number>, mu: number, logB: number) =>
    at(
      x,
      x.map(() => mu),
      x.map(() => logB),
    )
  /** Mass on one side of sigmoid(μ): the midpoint rule in logits, where the density is smooth on either side. */
  const mass = (mu: number, logB: number, side: 1 | -1): number => {
    const logits = Array.from({ length: 1000 }, (_, i) => mu + side * (2 * i + 1) * half)
    // Beyond, 1 − x has few digits in float32, and the scales below leave next to no mass.
    const x = logits.filter((l) => Math.abs(l) < 9).map((l) => Math.fround(sigmoid(l)))
    return every(x, mu, logB).reduce((sum, s, i) => sum + Math.exp(-s) * x[i]! * (1 - x[i]!) * 2 * half, 0)
  }
  const narrow = fc.tuple(
    real(2),
    fc.integer({ min: -2048, max: -717 }).map((n) => n / 1024),
  )

  return [
    law("the density integrates to 1", narrow, ([mu, logB]) => {
      expectClose(mass(mu, logB, -1) + mass(mu, logB, 1), 1, { absolute: 2e-3 })
    }),
    law("half of the mass lies below sigmoid(μ)", narrow, ([mu, logB]) => {
      expectClose(mass(mu, logB, -1), 0.5, { absolute: 1e-3 })
    }),
    law("f(x | μ, b) is f(1 − x | −μ, b)", examples, (e) => {
      const turned = at(
        e.x.map((x) => 1 - x),
        e.mean.map((m) => -m),
        e.logWidth,
      )
      expectClose(turned, at(e.x, e.mean, e.logWidth), { absolute: 1e-5 })
    }),
    law("no location surprises less than logit x", fc.tuple(pixel, real(3), width), ([x, mu, logB]) => {
      const [best, other] = [every([x], logit(x), logB)[0]!, every([x], mu, logB)[0]!]
      expectThat(best <= other + 1e-5, () => `${best} at logit x, ${other} at ${mu}`)
      const far = every([x], logit(x) + 1, logB)[0]!
      expectClose(far - best, Math.exp(-logB), { relative: 1e-4, absolute: 1e-4 })
    }),
    law(
      "the scale that surprises least is the mean distance of logits from μ",
      fc.tuple(grid([5], pixel), real(3), real(1)),
      ([x, mu, moved]) => {
        const best = Math.log(Math.max(1e-2, mean(x.map((each) => Math.abs(logit(each) - mu)))))
        if (best === Math.log(1e-2)) return
        const [least, other] = [mean(every(x, mu, best)), mean(every(x, mu, best + moved))]
        expectThat(least <= other + 1e-5, () => `${least} at the mean distance, ${other} beside it`)
      },
    ),
    law("each number's surprise is its own: another number changes no bit of it", examples, (e) => {
      const changed = at([...e.x.slice(0, -1), 0.5], [...e.mean.slice(0, -1), 7], [...e.logWidth.slice(0, -1), -1])
      expectSame(changed.slice(0, -1), at(e.x, e.mean, e.logWidth).slice(0, -1))
    }),
    law(
      "it has the value and the gradient of the float64 reference",
      // Away from the kink at μ = logit x.
      examples.filter(({ x, mean }) => x.every((each, i) => Math.abs(logit(each) - mean[i]!) > 0.01)),
      (e) => {
        const shape = [1, 1, e.x.length, 1]
        const n = e.x.length
        expectGradient(
          (means, widths) => tf.mean(surprise(float(shape, e.x), means!, widths!)) as tf.Scalar,
          (means, widths) => e.x.reduce((s, x, i) => s + logitLaplaceReference(x, means![i]!, widths![i]!), 0) / n,
          [
            { shape, data: e.mean },
            { shape, data: e.logWidth },
          ],
        )
      },
    ),
  ]
}
