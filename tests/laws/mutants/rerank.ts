import { type Ranked, rerank, takeRanked } from "@millrace/models"
import { type RerankOf, rerankLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

/** Places of each row by a comparison of two of its samples, and their scores. */
const sortedBy =
  (compare: (a: number, b: number, i: number, j: number) => number): RerankOf =>
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

export const rerankMutants = mutantSet<RerankOf>({
  subject: "rerank",
  laws: rerankLaws,
  real: rerank,
  mutants: {
    "that keeps the worst": sortedBy((a, b) => a - b),
    "that keeps the first": sortedBy(() => 0),
    "that gives the best in their old order": (scores, keep) => {
      const places = tf.tensor2d(
        (falling(scores, keep).places.arraySync() as Array<Array<number>>).map((row) => row.sort((a, b) => a - b)),
        undefined,
        "int32",
      )
      return { places, scores: tf.reshape(takeRanked(tf.expandDims(scores, 2), places), places.shape) }
    },
    "whose scores are sorted the other way": (scores, keep) => ({
      ...falling(scores, keep),
      scores: tf.reverse(falling(scores, keep).scores, 1),
    }),
    "that draws with replacement": (scores, keep) => {
      const { places } = falling(scores, 1)
      return { places: tf.tile(places, [1, keep]), scores: tf.tile(falling(scores, 1).scores, [1, keep]) }
    },
    "that ranks by how unusual a score is": (scores, keep) =>
      falling(tf.abs(tf.sub(scores, tf.mean(scores, 1, true))), keep),
    "that keeps the median": (scores, keep) => {
      const all = falling(scores, scores.shape[1]!)
      const from = Math.floor((scores.shape[1]! - keep) / 2)
      const cut = (x: tf.Tensor): tf.Tensor => tf.slice(x, [0, from], [-1, keep])
      return { scores: cut(all.scores), places: cut(all.places) }
    },
    "that keeps the last of equals": sortedBy((a, b, i, j) => b - a || j - i),
    "that ranks all rows alike": (scores, keep) => {
      const { places } = falling(tf.mean(scores, 0, true), keep)
      const all = tf.tile(places, [scores.shape[0]!, 1])
      return { places: all, scores: tf.reshape(takeRanked(tf.expandDims(scores, 2), all), all.shape) }
    },
  },
})
