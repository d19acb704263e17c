import { rankingLoss } from "@millrace/models"
import { type RankingLoss, rankingLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

const ours: RankingLoss = (r, p) => rankingLoss(r, p, undefined, { divisor: "pairs-left" })

/** A loss over all pairs, written anew: what its twins vary. */
export const pairwise =
  (each: (gap: tf.Tensor) => tf.Tensor, better: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor = tf.greater): RankingLoss =>
  (r, p) => {
    const pairs = tf.cast(better(tf.expandDims(p, 2), tf.expandDims(p, 1)), "float32")
    const losses = tf.mul(pairs, each(tf.sub(tf.expandDims(r, 2), tf.expandDims(r, 1))))
    return tf.mean(tf.div(tf.sum(losses, [1, 2]), tf.maximum(tf.sum(pairs, [1, 2]), 1)))
  }
export const logistic = (gap: tf.Tensor): tf.Tensor => tf.softplus(tf.neg(gap))

export const rankingMutants = mutantSet<RankingLoss>({
  subject: "ranking loss",
  laws: rankingLaws,
  real: ours,
  mutants: {
    "that has the sign of σ flipped": pairwise(tf.softplus),
    "that keeps ties": pairwise(logistic, tf.greaterEqual),
    "that overflows": pairwise((gap) => tf.log(tf.add(1, tf.exp(tf.neg(gap))))),
    "that weighs pairs by their preference": (r, p) =>
      pairwise((gap) => tf.mul(logistic(gap), tf.sub(tf.expandDims(p, 2), tf.expandDims(p, 1))))(r, p),
    "that pulls rewards to 0": (r, p) => tf.add(ours(r, p), tf.mul(0.01, tf.mean(tf.square(r)))),
    "that divides by the number of answers again": (r, p) => tf.div(ours(r, p), r.shape[1]!),
    "that is the share of pairs in the wrong order, smoothed": pairwise((gap) => tf.sigmoid(tf.neg(gap))),
    "that is a hinge": pairwise((gap) => tf.relu(tf.sub(1, gap))),
    "that compares neighbours alone": (r, p) => {
      const [b, k] = r.shape as [number, number]
      const head = (x: tf.Tensor): tf.Tensor => tf.slice(x, [0, 0], [b, k - 1])
      const tail = (x: tf.Tensor): tf.Tensor => tf.slice(x, [0, 1], [b, k - 1])
      const sign = tf.sign(tf.sub(head(p), tail(p)))
      const losses = tf.mul(tf.abs(sign), logistic(tf.mul(sign, tf.sub(head(r), tail(r)))))
      return tf.mean(tf.div(tf.sum(losses, 1), tf.maximum(tf.sum(tf.abs(sign), 1), 1)))
    },
    "that weighs prompts by their place": (r, p) => {
      const b = r.shape[0]!
      const one = (i: number): tf.Scalar => ours(tf.slice(r, [i, 0], [1, -1]), tf.slice(p, [i, 0], [1, -1]))
      return tf.div(tf.addN(Array.from({ length: b }, (_, i) => tf.mul(i + 1, one(i)))), b)
    },
    "that takes answers that tie as the earlier one preferred": (r, p) =>
      ours(r, tf.sub(p, tf.mul(1e-3, tf.range(0, p.shape[1]!)))),
    "that counts the pairs of the best answer twice": (r, p) => {
      const best = tf.cast(tf.equal(p, tf.max(p, 1, true)), "float32") // b k
      const pairs = tf.cast(tf.greater(tf.expandDims(p, 2), tf.expandDims(p, 1)), "float32") // b k k
      const weights = tf.mul(pairs, tf.add(1, tf.expandDims(best, 2)))
      const losses = tf.mul(weights, logistic(tf.sub(tf.expandDims(r, 2), tf.expandDims(r, 1))))
      return tf.mean(tf.div(tf.sum(losses, [1, 2]), tf.maximum(tf.sum(weights, [1, 2]), 1)))
    },
    "that sums over the pairs": (r, p) => {
      const k = r.shape[1]!
      return tf.mul((k * (k - 1)) / 2, ours(r, p))
    },
  },
})
