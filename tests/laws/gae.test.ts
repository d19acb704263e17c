import { gae, klEstimators, scorePlacements, tokenRewards, whiten } from "@millrace/models"
import { answers, type Gae, gaeLaws, rollouts, spreadOut, tokenRewardsLaws, whitenLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { test } from "vitest"
import { expectClose, expectSame } from "./close.js"
import { bool, float, rightPadded, rows } from "./examples.js"
import { expectGradient } from "./finiteDifference.js"
import { law, verify } from "./law.js"
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
    verify(`whiten ${JSON.stringify(config)}`, [
      ...whitenLaws((x, mask) => whiten(x, mask, config), config),
      law("it has the value and the gradient of the float64 reference", spreadOut, ({ shape, x, mask }) => {
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
    ...tokenRewardsLaws((score, p, q, mask, beta) => tokenRewards(score, p, q, mask, beta, config)),
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
