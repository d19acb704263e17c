import { gae, klEstimators, scorePlacements, tokenRewards, whiten } from "@millrace/models"
import { type Gae, gaeLaws, rollouts } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expect, test } from "vitest"
import { expectClose, expectSame, values } from "./close.js"
import { bool, float, grid, real, rightPadded, rows, size } from "./examples.js"
import { expectGradient } from "./finiteDifference.js"
import { broken, law, verify } from "./law.js"
import { maskLaws, weighed } from "./maskLaws.js"
import { gaeReference } from "./reference/gae.js"
import { tokenRewardsReference } from "./reference/tokenRewards.js"
import { whitenReference } from "./reference/whiten.js"

const ours: Gae = (r, v, config) => gae(r, v, undefined, config)
const usual = { discount: 0.9, lambda: 0.8 }

/** Σ w x as `weighed` has it. */
const weighedReference = (x: ReadonlyArray<ReadonlyArray<number>>): number =>
  x.reduce((all, row, b) => row.reduce((sum, v, t) => sum + v * Math.cos(1 + 5 * b + 2 * t), all), 0)

const padded = rollouts.chain((e) => fc.record({ e: fc.constant(e), mask: rightPadded(e.shape[0], e.shape[1]) }))

verify("gae", [
  ...gaeLaws(ours),
  law("it has the value and the gradients of the float64 recursion, under a mask", padded, ({ e, mask }) => {
    const t = e.shape[1]
    for (const output of ["advantages", "returns"] as const) {
      expectGradient(
        (r, v) => weighed(gae(r!, v!, bool(e.shape, mask), e)[output]),
        (r, v) => weighedReference(gaeReference(rows(r!, t), rows(v!, t), rows(mask, t), e)[output]),
        [
          { shape: e.shape, data: e.rewards },
          { shape: e.shape, data: e.values },
        ],
      )
    }
  }),
])
for (const output of ["advantages", "returns"] as const) {
  verify(
    `gae, ${output}, masked`,
    maskLaws([[], []], ([r, v], mask) => weighed(gae(r!, v!, mask, usual)[output]), { padded: true }),
  )
}

for (const shiftMean of [true, false]) {
  for (const variance of ["biased", "unbiased"] as const) {
    const config = { shiftMean, variance }
    const samples = fc.tuple(size(1, 3), size(2, 5)).chain(([b, t]) =>
      fc
        .record({ shape: fc.constant([b, t] as const), x: grid([b, t]), mask: rightPadded(b, t) })
        // Where all numbers agree there is no scale to whiten by.
        .filter(({ x, mask }) => spread(x.filter((_, i) => mask[i] === 1)) > 0.5),
    )
    const at = (shape: readonly [number, number], x: ReadonlyArray<number>, mask: ReadonlyArray<number>) =>
      values(whiten(float(shape, x), bool(shape, mask), config))
    const kept = (x: ReadonlyArray<number>, mask: ReadonlyArray<number>) => x.filter((_, i) => mask[i] === 1)

    verify(`whiten ${JSON.stringify(config)}`, [
      law(shiftMean ? "the mean becomes 0" : "the mean is preserved", samples, ({ shape, x, mask }) => {
        expectClose(mean(kept(at(shape, x, mask), mask)), shiftMean ? 0 : mean(kept(x, mask)))
      }),
      law("the variance becomes 1", samples, ({ shape, x, mask }) => {
        const white = kept(at(shape, x, mask), mask)
        const squares = white.reduce((sum, v) => sum + (v - mean(white)) ** 2, 0)
        expectClose(squares / (variance === "biased" ? white.length : white.length - 1), 1, { relative: 1e-4 })
      }),
      law(
        "whiten(a x + c) is sign(a) whiten(x), but for its mean",
        fc.tuple(samples, real(3), real(3)),
        ([e, a, c]) => {
          fc.pre(Math.abs(a) > 0.1)
          const centred = (x: ReadonlyArray<number>) => {
            const white = kept(at(e.shape, x, e.mask), e.mask)
            return white.map((v) => v - mean(white))
          }
          expectClose(
            centred(e.x.map((v) => a * v + c)),
            centred(e.x).map((v) => Math.sign(a) * v),
            { absolute: 1e-4 },
          )
        },
      ),
      law("whitening twice is whitening once", samples, ({ shape, x, mask }) => {
        const once = at(shape, x, mask)
        expectClose(at(shape, once, mask), once, { absolute: 1e-4 })
      }),
      law("masked positions become 0 and count for nothing", samples, ({ shape, x, mask }) => {
        const white = at(
          shape,
          x.map((v, i) => (mask[i] === 1 ? v : Number.NaN)),
          mask,
        )
        expectSame(
          white.filter((_, i) => mask[i] === 0),
          white.filter((_, i) => mask[i] === 0).map(() => 0),
        )
      }),
      law("it has the value and the gradient of the float64 reference", samples, ({ shape, x, mask }) => {
        const t = shape[1]
        expectGradient(
          (v) => weighed(whiten(v!, bool(shape, mask), config)),
          (v) => weighedReference(whitenReference(rows(v!, t), rows(mask, t), config)),
          [{ shape, data: x }],
        )
      }),
      ...maskLaws([[]], ([x], mask) => weighed(whiten(x!, mask, { ...config, epsilon: 0.1 }))),
    ])
  }
}

const answers = fc.tuple(size(1, 3), size(1, 5)).chain(([b, t]) =>
  fc.record({
    shape: fc.constant([b, t] as const),
    score: grid([b]),
    p: grid([b, t], real(2)),
    q: grid([b, t], real(2)),
    mask: rightPadded(b, t),
    beta: real(1),
  }),
)

for (const placement of scorePlacements) {
  for (const estimator of klEstimators) {
    const config = { placement, estimator }
    verify(`tokenRewards ${JSON.stringify(config)}`, [
      law(
        "it has the value and the gradients of the float64 reference",
        answers,
        ({ shape, score, p, q, mask, beta }) => {
          const t = shape[1]
          expectGradient(
            (s, x, y) => weighed(tokenRewards(s!, x!, y!, bool(shape, mask), beta, config).rewards),
            (s, x, y) =>
              weighedReference(tokenRewardsReference(s!, rows(x!, t), rows(y!, t), rows(mask, t), beta, config)),
            [
              { shape: [shape[0]], data: score },
              { shape, data: p },
              { shape, data: q },
            ],
          )
        },
      ),
    ])
  }
  const config = { placement, estimator: "k1" } as const
  verify(`tokenRewards, ${placement}`, [
    law(
      "the rewards of an answer sum to its score less β times its KL",
      answers,
      ({ shape, score, p, q, mask, beta }) => {
        const { rewards, kl } = tokenRewards(
          float([shape[0]], score),
          float(shape, p),
          float(shape, q),
          bool(shape, mask),
          beta,
          config,
        )
        expectClose(tf.sum(rewards, 1), tf.sub(float([shape[0]], score), tf.mul(beta, tf.sum(kl, 1))))
      },
    ),
    law(
      "with γ = λ = 1 the return of the first token is the score less β times the KL, under the mask that it gives",
      answers,
      ({ shape, score, p, q, mask, beta }) => {
        const given = tokenRewards(
          float([shape[0]], score),
          float(shape, p),
          float(shape, q),
          bool(shape, mask),
          beta,
          config,
        )
        const { returns } = gae(given.rewards, tf.zeros([...shape]), given.mask, { discount: 1, lambda: 1 })
        expectClose(
          tf.slice(returns, [0, 0], [shape[0], 1]),
          tf.sub(float([shape[0]], score), tf.mul(beta, tf.sum(given.kl, 1))),
        )
      },
    ),
    ...maskLaws(
      [[], []],
      ([p, q], mask) => weighed(tokenRewards(tf.zeros([p!.shape[0]!]), p!, q!, mask, 0.3, config).rewards),
      { padded: true },
    ),
  ])
}

test("β may be a tensor, as it is where it adapts", () => {
  const [score, p, q] = [float([1], [2]), float([1, 2], [-1, -2]), float([1, 2], [-2, -2])]
  const config = { placement: "last-token", estimator: "k1" } as const
  expectClose(tokenRewards(score, p, q, undefined, tf.scalar(0.5), config).rewards, [-0.5, 2])
  expectClose(tokenRewards(score, p, q, undefined, 0.5, config).rewards, [-0.5, 2])
})

test("an answer without tokens gets no score from a NaN reward model, and leaves the others alone", () => {
  const given = tokenRewards(
    float([2], [Number.NaN, 1]),
    float([2, 2], [0, 0, 0, 0]),
    float([2, 2], [0, 0, 0, 0]),
    bool([2, 2], [0, 0, 1, 1]),
    0.1,
    { placement: "after-last", estimator: "k1" },
  )
  expectSame(given.rewards, [0, 0, 0, 1])
})

const variant =
  (
    change: (
      r: tf.Tensor,
      v: tf.Tensor,
      config: { discount: number; lambda: number },
    ) => [tf.Tensor, tf.Tensor, { discount: number; lambda: number }],
  ): Gae =>
  (r, v, config) =>
    ours(...change(r, v, config))

test.each<[string, Gae, string]>([
  [
    "that forgets λ",
    variant((r, v, c) => [r, v, { ...c, lambda: 1 }]),
    "with λ = 0 the advantage is the error of one step",
  ],
  [
    "that discounts by λ alone",
    variant((r, v, c) => [r, v, { discount: 1, lambda: c.lambda }]),
    "with γ = 0 the advantage is R − V",
  ],
  [
    "that runs from the start",
    (r, v, c) => {
      const { advantages, returns } = ours(tf.reverse(r, 1), tf.reverse(v, 1), c)
      return { advantages: tf.reverse(advantages, 1), returns: tf.reverse(returns, 1) }
    },
    "what came earlier never changes a bit of an advantage",
  ],
  [
    "that keeps the last value after the end",
    (r, v, c) => {
      const [b, t] = r.shape as [number, number]
      const last = tf.slice(v, [0, t - 1], [b, 1])
      return ours(
        tf.add(
          r,
          tf.mul(
            c.discount,
            tf.pad(last, [
              [0, 0],
              [t - 1, 0],
            ]),
          ),
        ),
        v,
        c,
      )
    },
    "true values have advantages of 0, whatever λ",
  ],
])("an advantage %s breaks a law", (_, mutant, name) => {
  expect(broken(gaeLaws(mutant))).toContain(name)
})

test("a mean in place of a masked mean breaks the mask laws", () => {
  const leaky = maskLaws([[]], ([x]) => weighed(tf.sub(x!, tf.mean(x!))))
  expect(broken(leaky)).toContain(
    "what a masked position holds, NaN or infinite, changes no bit of the value or the gradients",
  )
})

test("a mask that multiplies breaks the mask laws", () => {
  const leaky = maskLaws([[]], ([x], mask) => tf.sum(tf.mul(tf.square(x!), tf.cast(mask, "float32"))))
  expect(broken(leaky)).toContain(
    "what a masked position holds, NaN or infinite, changes no bit of the value or the gradients",
  )
})

test("a mask that selects after the arithmetic breaks the mask laws in the gradient", () => {
  const leaky = maskLaws([[]], ([x], mask) => tf.sum(tf.where(mask, tf.exp(x!), tf.zerosLike(x!))))
  expect(broken(leaky)).toEqual([
    "what a masked position holds, NaN or infinite, changes no bit of the value or the gradients",
    "a batch that is masked as a whole gives 0 and gradients of 0",
    "a masked column more changes nothing",
  ])
})

function mean(x: ReadonlyArray<number>): number {
  return x.reduce((a, b) => a + b, 0) / x.length
}

function spread(x: ReadonlyArray<number>): number {
  return Math.max(...x) - Math.min(...x)
}
