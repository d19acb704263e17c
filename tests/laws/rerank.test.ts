import { BadConfig } from "@millrace/core"
import { bestOf, bestOfKl, type Ranked, rerank, takeRanked } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { describe, expect, test } from "vitest"
import { verify } from "./law.js"
import { refuses } from "./refuses.js"
import { type Rerank, rerankLaws } from "./rerankLaws.js"

verify("rerank", rerankLaws(rerank))

/** Places of each row by a comparison of two of its samples, and their scores. */
const sortedBy =
  (compare: (a: number, b: number, i: number, j: number) => number): Rerank =>
  (scores, keep) => {
    const table = scores.arraySync() as Array<Array<number>>
    const places = table.map((row) =>
      row
        .map((_, i) => i)
        .sort((i, j) => compare(row[i]!, row[j]!, i, j))
        .slice(0, keep),
    )
    const kept = places.map((row, b) => row.map((place) => table[b]![place]!))
    return { scores: tf.tensor2d(kept), places: tf.tensor2d(places, undefined, "int32") } satisfies Ranked
  }
const falling = sortedBy((a, b) => b - a)

refuses("a rerank", rerankLaws, [
  ["because it keeps the worst", sortedBy((a, b) => a - b), "no sample that is left scores more than one that is kept"],
  ["because it keeps the first", sortedBy(() => 0), "permuting the samples permutes what is kept"],
  [
    "because it gives the best in their old order",
    (scores, keep) => {
      const places = tf.tensor2d(
        (falling(scores, keep).places.arraySync() as Array<Array<number>>).map((row) => row.sort((a, b) => a - b)),
        undefined,
        "int32",
      )
      return { places, scores: tf.reshape(takeRanked(tf.expandDims(scores, 2), places), places.shape) }
    },
    "the best k are the first k of the best k + 1",
  ],
  [
    "because its scores are sorted the other way",
    (scores, keep) => ({ ...falling(scores, keep), scores: tf.reverse(falling(scores, keep).scores, 1) }),
    "scores fall, and are those of their places",
  ],
  [
    "because it draws with replacement",
    (scores, keep) => {
      const { places } = falling(scores, 1)
      return { places: tf.tile(places, [1, keep]), scores: tf.tile(falling(scores, 1).scores, [1, keep]) }
    },
    "no place is kept twice, and keeping all keeps each",
  ],
  [
    "because it ranks by how unusual a score is",
    (scores, keep) => falling(tf.abs(tf.sub(scores, tf.mean(scores, 1, true))), keep),
    "only the order of the scores counts",
  ],
  [
    "because it keeps the median",
    (scores, keep) => {
      const all = falling(scores, scores.shape[1]!)
      const from = Math.floor((scores.shape[1]! - keep) / 2)
      const cut = (x: tf.Tensor): tf.Tensor => tf.slice(x, [0, from], [-1, keep])
      return { scores: cut(all.scores), places: cut(all.places) }
    },
    "one sample more never lowers the best score",
  ],
  [
    "because it keeps the last of equals",
    sortedBy((a, b, i, j) => b - a || j - i),
    "of equal scores the first samples are kept",
  ],
  [
    "because it ranks all rows alike",
    (scores, keep) => {
      const { places } = falling(tf.mean(scores, 0, true), keep)
      const all = tf.tile(places, [scores.shape[0]!, 1])
      return { places: all, scores: tf.reshape(takeRanked(tf.expandDims(scores, 2), all), all.shape) }
    },
    "a row does not know of the others",
  ],
])

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
