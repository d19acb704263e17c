import { ShapeMismatch } from "@millrace/core"
import { type RankingLossConfig, rankingAccuracy, rankingLoss } from "@millrace/models"
import { answerMask, rankingLaws } from "@millrace/models/laws"
import fc from "fast-check"
import { expect, test } from "vitest"
import { expectClose, values } from "./close.js"
import { bool, float, grid, rows, size } from "./examples.js"
import { expectGradient } from "./finiteDifference.js"
import { broken, law, verify } from "./law.js"
import { maskLaws } from "./maskLaws.js"
import { logistic, pairwise } from "./mutants/ranking.js"
import { rankingReference } from "./reference/ranking.js"

const plain: RankingLossConfig = { divisor: "pairs-left" }
const configs: ReadonlyArray<RankingLossConfig> = [
  plain,
  { divisor: "choose-k" },
  { divisor: "pairs-left", margin: 0.5 },
  { divisor: "choose-k", centering: 0.01 },
]

for (const divisor of ["pairs-left", "choose-k"] as const) {
  verify(
    `rankingLoss, ${divisor}`,
    rankingLaws((r, p) => rankingLoss(r, p, undefined, { divisor })),
  )
}

for (const config of configs) {
  const subject = `rankingLoss ${JSON.stringify(config)}`
  /** Earlier answers are preferred, and every third ties with the one before it. */
  const ranking = (shape: ReadonlyArray<number>) =>
    float(
      shape,
      Array.from({ length: shape[0]! * shape[1]! }, (_, i) => -Math.floor(0.7 * (i % shape[1]!))),
    )

  verify(
    `${subject}, masked`,
    maskLaws([[]], ([r], mask) => rankingLoss(r!, ranking(r!.shape), mask, config), { shortest: 2 }),
  )
  verify(subject, [
    law(
      "it has the value and the gradient of the float64 reference",
      fc.tuple(size(1, 3), size(2, 6)).chain(([b, k]) =>
        fc.record({
          shape: fc.constant([b, k]),
          rewards: grid([b, k]),
          preference: grid([b, k], size(0, 3)),
          mask: answerMask(b, k),
        }),
      ),
      ({ shape, rewards, preference, mask }) => {
        const k = shape[1]!
        expectGradient(
          (r) => rankingLoss(r!, float(shape, preference), bool(shape, mask), config),
          (r) => rankingReference(rows(r!, k), rows(preference, k), rows(mask, k), config),
          [{ shape, data: rewards }],
        )
      },
    ),
  ])
}

test("a masked answer's preference, NaN or infinite, changes nothing", () => {
  const loss = (junk: number) =>
    rankingLoss(float([1, 3], [1, 2, 0]), float([1, 3], [1, 0, junk]), bool([1, 3], [1, 1, 0]), plain).dataSync()[0]
  for (const junk of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) expect(loss(junk)).toBe(loss(0))
})

test("a prompt without a pair is not counted", () => {
  const loss = (r: ReadonlyArray<number>, p: ReadonlyArray<number>, b: number) =>
    rankingLoss(float([b, 2], r), float([b, 2], p), undefined, plain)
  expectClose(loss([1, 2, 3, 4], [0, 1, 5, 5], 2), loss([1, 2], [0, 1], 1))
})

test("with ties the divisors differ by the share of pairs left", () => {
  const loss = (divisor: "pairs-left" | "choose-k") =>
    values(rankingLoss(float([1, 3], [1, 2, 4]), float([1, 3], [0, 0, 1]), undefined, { divisor }))[0]!
  expectClose(loss("choose-k") / loss("pairs-left"), 2 / 3)
})

test("one answer a prompt is refused, and the error says to sample more", () => {
  const one = float([2, 1], [1, 2])
  expect(() => rankingLoss(one, one, undefined, plain)).toThrow(ShapeMismatch)
  expect(() => rankingLoss(one, one, undefined, plain)).toThrow("sample more answers")
})

test("rewards and preferences of different K are refused together with the mask", () => {
  const failure = () => rankingLoss(float([1, 2], [1, 2]), float([1, 3], [1, 2, 3]), bool([1, 4], [1, 1, 1, 1]), plain)
  expect(failure).toThrow(/preference \[1, 3\], mask \[1, 4\]/)
})

test("accuracy counts the pairs in the right order, and equal rewards by half", () => {
  const accuracy = (r: ReadonlyArray<number>, p: ReadonlyArray<number>, mask: ReadonlyArray<number>) =>
    rankingAccuracy(float([1, 4], r), float([1, 4], p), bool([1, 4], mask)).dataSync()[0]
  expect(accuracy([4, 3, 2, Number.NaN], [3, 2, 1, 9], [1, 1, 1, 0])).toBe(1)
  expect(accuracy([1, 2, 3, Number.NaN], [3, 2, 1, 9], [1, 1, 1, 0])).toBe(0)
  expectClose(accuracy([2, 2, 3, 0], [3, 2, 1, 1], [1, 1, 1, 1])!, (0.5 + 0 + 1 + 0 + 1) / 5)
})

test("the pairwise loss that the broken ones vary breaks none", () => {
  expect(broken(rankingLaws(pairwise(logistic)))).toEqual([])
})
