import { BadConfig } from "@millrace/core"
import { bestOf, bestOfKl, rerank, takeRanked } from "@millrace/models"
import { rerankLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { describe, expect, test } from "vitest"
import { verify } from "./law.js"

verify("rerank", rerankLaws(rerank))

test("what is taken is the sample of each place", () => {
  const samples = tf.tensor3d([
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    [
      [7, 8],
      [9, 10],
      [11, 12],
    ],
  ])
  const { places } = rerank(
    tf.tensor2d([
      [0, 2, 1],
      [5, 3, 4],
    ]),
    2,
  )
  expect(takeRanked(samples, places).arraySync()).toEqual([
    [
      [3, 4],
      [5, 6],
    ],
    [
      [7, 8],
      [11, 12],
    ],
  ])
})

test("the node keeps the codes of the best images", () => {
  const node = bestOf.codes({ keep: 1 })
  const codes = tf.tensor3d([[[1], [2], [3]]], [1, 3, 1], "int32")
  const best = node.apply({}, { codes, scores: tf.tensor2d([[0.1, 0.9, 0.3]]) })
  expect(best.codes.arraySync()).toEqual([[[2]]])
  expect(best.places.dtype).toBe("int32")
})

test.each([0, 4, 1.5])("%d of 3 samples are refused", (keep) => {
  expect(() => rerank(tf.zeros([1, 3]), keep)).toThrow(BadConfig)
})

describe("the KL of the best of n", () => {
  /** Of the best of n samples of `values` equally likely ones, by going through all n-tuples. */
  const enumerated = (values: number, n: number): number => {
    const tuples = Array.from({ length: values ** n }, (_, code) =>
      Array.from({ length: n }, (_, i) => Math.floor(code / values ** i) % values),
    )
    const counts = Array.from({ length: values }, () => 0)
    for (const score of rerank(tf.tensor2d(tuples), 1).scores.dataSync()) counts[score]!++
    return counts.reduce((sum, count) => {
      const p = count / tuples.length
      return sum + (p === 0 ? 0 : p * Math.log(p * values))
    }, 0)
  }

  test("is at most ln n − (n − 1) / n, and nears it as the samples become many", () => {
    for (const [n, many] of [
      [2, 60],
      [3, 20],
    ] as const) {
      const kl = [5, 10, many].map((values) => enumerated(values, n))
      for (const each of kl) expect(each).toBeLessThanOrEqual(bestOfKl(n))
      expect(kl.toSorted((a, b) => a - b)).toEqual(kl)
      expect(bestOfKl(n) - kl[2]!).toBeLessThan(0.01)
    }
  })

  test("is 0 for one sample and 5.24 nats for 512", () => {
    expect(bestOfKl(1)).toBe(0)
    expect(bestOfKl(512)).toBeCloseTo(5.2403, 3)
  })
})
