import { expectSame, expectThat, float, type Law, law, real, rows, size, values } from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import type { Ranked } from "../rerank.js"

/** Scores b n and a number k to the best k of each row, best first. */
export type RerankOf = (scores: tf.Tensor, keep: number) => Ranked

/** Rows of distinct scores. */
const distinct = fc.tuple(size(1, 3), size(2, 7)).chain(([b, n]) =>
  fc.record({
    n: fc.constant(n),
    scores: fc.array(fc.uniqueArray(real(8), { minLength: n, maxLength: n }), { minLength: b, maxLength: b }),
    keep: size(1, n),
    order: fc.shuffledSubarray(
      Array.from({ length: n }, (_, i) => i),
      { minLength: n },
    ),
  }),
)

/**
 * What keeping the best of some samples obeys.
 * @source Ramesh et al. 2021, section 2.6
 */
export const rerankLaws = (rerank: RerankOf): ReadonlyArray<Law> => {
  const at = (scores: ReadonlyArray<ReadonlyArray<number>>, keep: number) => {
    const ranked = rerank(float([scores.length, scores[0]!.length], scores.flat()), keep)
    return { scores: rows(values(ranked.scores), keep), places: rows(values(ranked.places), keep) }
  }
  return [
    law("permuting the samples permutes what is kept", distinct, ({ scores, keep, order }) => {
      const moved = at(
        scores.map((row) => order.map((i) => row[i]!)),
        keep,
      )
      const there = moved.places.map((row) => row.map((place) => order[place]!))
      expectSame(there.flat(), at(scores, keep).places.flat())
    }),
    law("the best k are the first k of the best k + 1", distinct, ({ scores, keep, n }) => {
      if (keep === n) return
      const [fewer, more] = [at(scores, keep), at(scores, keep + 1)]
      expectSame(
        fewer.places.flat(),
        more.places.flatMap((row) => row.slice(0, keep)),
      )
    }),
    law("no sample that is left scores more than one that is kept", distinct, ({ scores, keep }) => {
      at(scores, keep).places.forEach((kept, b) => {
        const least = Math.min(...kept.map((place) => scores[b]![place]!))
        const left = scores[b]!.filter((_, i) => !kept.includes(i))
        expectThat(
          left.every((score) => score < least),
          () => `${least} is kept of ${scores[b]!.join(", ")}`,
        )
      })
    }),
    law("scores fall, and are those of their places", distinct, ({ scores, keep }) => {
      const ranked = at(scores, keep)
      ranked.places.forEach((kept, b) => {
        expectSame(
          ranked.scores[b]!,
          kept.map((place) => scores[b]![place]!),
        )
        for (let i = 1; i < keep; i++) {
          expectThat(ranked.scores[b]![i]! <= ranked.scores[b]![i - 1]!, () => ranked.scores[b]!.join(", "))
        }
      })
    }),
    law("no place is kept twice, and keeping all keeps each", distinct, ({ scores, n }) => {
      for (const row of at(scores, n).places) {
        expectSame(
          row.toSorted((a, b) => a - b),
          row.map((_, i) => i),
        )
      }
    }),
    law("only the order of the scores counts", distinct, ({ scores, keep }) => {
      const curved = scores.map((row) => row.map((score) => 2 * score + score ** 3))
      expectSame(at(curved, keep).places.flat(), at(scores, keep).places.flat())
    }),
    law("one sample more never lowers the best score", distinct, ({ scores, n }) => {
      const best = (count: number) =>
        at(
          scores.map((row) => row.slice(0, count)),
          1,
        ).scores.flat()
      for (let count = 1; count < n; count++) {
        const [less, more] = [best(count), best(count + 1)]
        expectThat(
          less.every((score, i) => score <= more[i]!),
          () => `${less.join()} of ${count}, then ${more.join()}`,
        )
      }
    }),
    law("of equal scores the first samples are kept", fc.tuple(size(1, 5), real(4)), ([keep, score]) => {
      expectSame(
        at([Array.from({ length: 5 }, () => score)], keep).places.flat(),
        Array.from({ length: keep }, (_, i) => i),
      )
    }),
    law("a row does not know of the others", distinct, ({ scores, keep }) => {
      expectSame(
        at(scores, keep).places.flat(),
        scores.flatMap((row) => at([row], keep).places.flat()),
      )
    }),
  ]
}
