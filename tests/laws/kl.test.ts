import { adaptiveKl, entropy, exactKl, fixedKl, klEstimate, klEstimators, maskedSum } from "@millrace/models"
import { adaptiveKlLaws, type ExactKl, entropyLaws, klEstimateLaws, klLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expect, test } from "vitest"
import { expectClose, expectThat, values } from "./close.js"
import { float, grid, real, rows, size } from "./examples.js"
import { expectGradient } from "./finiteDifference.js"
import { law, verify } from "./law.js"
import { maskLaws, weighed } from "./maskLaws.js"
import { entropyReference, estimateReference, klReference } from "./reference/kl.js"

const exact: ExactKl = (p, q) => exactKl(p, q, undefined)

/** Σ w x as `weighed` has it. */
const weighedReference = (x: ReadonlyArray<number>, t: number): number =>
  x.reduce((sum, v, i) => sum + v * Math.cos(1 + 5 * Math.floor(i / t) + 2 * (i % t)), 0)

const logits = fc
  .tuple(size(1, 2), size(1, 3), size(2, 4))
  .chain(([b, t, v]) => fc.record({ shape: fc.constant([b, t, v] as const), p: grid([b, t, v]), q: grid([b, t, v]) }))

verify("exactKl", [
  ...klLaws(exact),
  law("it has the value and the gradients of the float64 reference", logits, ({ shape, p, q }) => {
    const [, t, v] = shape
    expectGradient(
      (x, y) => weighed(exact(x!, y!)),
      (x, y) =>
        weighedReference(
          rows(x!, v).map((row, i) => klReference(row, rows(y!, v)[i]!)),
          t,
        ),
      [
        { shape, data: p },
        { shape, data: q },
      ],
    )
  }),
])
verify(
  "exactKl, masked",
  maskLaws([[3], [3]], ([p, q], mask) => weighed(exactKl(p!, q!, mask))),
)

for (const estimator of klEstimators) {
  verify(`klEstimate, ${estimator}`, [
    ...klEstimateLaws((p, q) => klEstimate(p, q, undefined, { estimator }), {
      unbiased: estimator !== "k2",
      positive: estimator !== "k1",
    }),
    ...maskLaws([[], []], ([p, q], mask) => weighed(klEstimate(p!, q!, mask, { estimator }))),
    law(
      "it has the value and the gradients of the float64 reference",
      size(1, 4).chain((t) => fc.tuple(grid([t]), grid([t]))),
      ([p, q]) => {
        const shape = [1, p.length]
        expectGradient(
          (x, y) => weighed(klEstimate(x!, y!, undefined, { estimator })),
          (x, y) =>
            weighedReference(
              x!.map((log, i) => estimateReference(estimator, log, y![i]!)),
              p.length,
            ),
          [
            { shape, data: p },
            { shape, data: q },
          ],
        )
      },
    ),
    law(
      "a clamp bounds it on both sides and changes nothing within",
      fc.tuple(grid([4], real(8)), real(3)),
      ([x, c]) => {
        const [clamp, zero] = [Math.abs(c), float([1, 4], [0, 0, 0, 0])]
        const free = values(klEstimate(float([1, 4], x), zero, undefined, { estimator }))
        const clamped = klEstimate(float([1, 4], x), zero, undefined, { estimator, clamp })
        expectClose(
          clamped,
          free.map((each) => Math.min(clamp, Math.max(-clamp, each))),
        )
      },
    ),
  ])
}

verify("the estimators", [
  law("k3 is k1 + (r − 1)", fc.tuple(grid([4]), grid([4])), ([p, q]) => {
    const at = (estimator: "k1" | "k3") => klEstimate(float([1, 4], p), float([1, 4], q), undefined, { estimator })
    const r = p.map((x, i) => Math.exp(q[i]! - x))
    expectClose(
      at("k3"),
      tf.add(
        at("k1"),
        float(
          [1, 4],
          r.map((x) => x - 1),
        ),
      ),
    )
  }),
  law("k3 keeps its digits where the distributions nearly agree", real(1), (x) => {
    const gap = x / 1024
    const found = klEstimate(float([1, 1], [gap]), float([1, 1], [0]), undefined, { estimator: "k3" })
    expectThat(
      Math.abs(values(found)[0]! - estimateReference("k3", gap, 0)) <= 1e-9 + 1e-3 * gap ** 2,
      () => `${values(found)[0]} at ${gap}`,
    )
  }),
  law("the KL of a sequence is the sum over its tokens", grid([2, 3]), (x) => {
    const estimate = klEstimate(float([2, 3], x), tf.zeros([2, 3]), undefined, { estimator: "k1" })
    expectClose(
      maskedSum(estimate, undefined),
      rows(x, 3).map((row) => row.reduce((a, b) => a + b, 0)),
    )
  }),
])

test("sampling from a truncated policy and scoring the whole one can make the mean of k1 negative", () => {
  // Top-1 of a policy that gives 0.6, under a reference that gives 0.9.
  const k1 = klEstimate(float([1, 1], [Math.log(0.6)]), float([1, 1], [Math.log(0.9)]), undefined, { estimator: "k1" })
  expect(values(k1)[0]).toBeLessThan(0)
})

test("KL is not symmetric", () => {
  const [p, q] = [float([1, 1, 2], [2, 0]), float([1, 1, 2], [0, 0])]
  expect(Math.abs(values(exact(p, q))[0]! - values(exact(q, p))[0]!)).toBeGreaterThan(0.05)
})

verify("entropy", [
  ...entropyLaws((x) => entropy(x, undefined)),
  law("it has the value and the gradient of the float64 reference", logits, ({ shape, p }) => {
    const [, t, v] = shape
    expectGradient(
      (x) => weighed(entropy(x!, undefined)),
      (x) => weighedReference(rows(x!, v).map(entropyReference), t),
      [{ shape, data: p }],
    )
  }),
  ...maskLaws([[3]], ([p], mask) => weighed(entropy(p!, mask))),
])

verify("adaptiveKl", adaptiveKlLaws(adaptiveKl))

verify("fixedKl", [
  law("it keeps β", fc.tuple(real(1), real(20), size(1, 512)), ([beta, kl, episodes]) => {
    expect(fixedKl(beta, kl, episodes)).toBe(beta)
  }),
])
