import { contrastiveLoss, matchingLoss, unitNorm } from "@millrace/models"
import { type ContrastiveLossOf, contrastiveLaws, type MatchingLossOf, matchingLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

export const contrastive: ContrastiveLossOf = (images, texts, t) =>
  contrastiveLoss(unitNorm(images), unitNorm(texts), t)
const diagonal = (s: tf.Tensor): tf.Tensor => tf.sum(tf.mul(s, tf.eye(s.shape[0]!)), 1)
const byRows = (s: tf.Tensor): tf.Scalar => tf.mean(tf.sub(tf.logSumExp(s, 1), diagonal(s)))

const both = (each: (s: tf.Tensor) => tf.Scalar): MatchingLossOf => {
  return (s) => tf.mul(tf.add(each(s), each(tf.transpose(s))), 0.5)
}

/** The right entry left out of the sum. */
const decoupled = (s: tf.Tensor): tf.Scalar => {
  const others = tf.sub(s, tf.mul(tf.eye(s.shape[0]!), 1e9))
  return tf.mean(tf.sub(tf.logSumExp(others, 1), diagonal(s)))
}

/** Each pair for itself. */
const sigmoid: MatchingLossOf = (s) => {
  const signs = tf.sub(tf.mul(tf.eye(s.shape[0]!), 2), 1)
  return tf.mean(tf.sum(tf.softplus(tf.neg(tf.mul(signs, s))), 1))
}

const like =
  (
    scale: (t: tf.Tensor) => tf.Tensor,
    logits: (i: tf.Tensor, t: tf.Tensor) => tf.Tensor,
    loss = matchingLoss,
  ): ContrastiveLossOf =>
  (images, texts, t) =>
    loss(tf.mul(logits(images, texts), scale(t)))

const cosines = (i: tf.Tensor, t: tf.Tensor): tf.Tensor => tf.matMul(unitNorm(i), unitNorm(t), false, true)

export const matchingMutants = mutantSet<MatchingLossOf>({
  subject: "loss of matching pairs",
  laws: matchingLaws,
  real: matchingLoss,
  mutants: {
    "of the rows alone": byRows,
    "that weighs the first pair twice": (s) =>
      tf.add(
        matchingLoss(s),
        tf.mean(tf.sub(tf.logSumExp(tf.slice(s, [0, 0], [1, -1]), 1), tf.slice(diagonal(s), 0, 1))),
      ),
    "of each pair for itself": sigmoid,
    "that is a sum": (s) => tf.mul(matchingLoss(s), s.shape[0]!),
    "that leaves the right entry out of the sum": both(decoupled),
    "with labels in reverse": (s) => matchingLoss(tf.reverse(s, 1)),
    "that exponentiates as it is": both((s) => tf.mean(tf.sub(tf.log(tf.sum(tf.exp(s), 1)), diagonal(s)))),
    "that adds both directions": (s) => tf.mul(matchingLoss(s), 2),
    "that pulls logits to 0": (s) => tf.add(matchingLoss(s), tf.mul(0.01, tf.sum(s))),
    "that smooths labels": (s) =>
      tf.add(
        tf.mul(matchingLoss(s), 0.9),
        tf.mul(0.1, both((x) => tf.mean(tf.sub(tf.logSumExp(x, 1), tf.mean(x, 1))))(s)),
      ),
  },
})

export const contrastiveMutants = mutantSet<ContrastiveLossOf>({
  subject: "contrastive loss",
  laws: contrastiveLaws,
  real: contrastive,
  runs: 30,
  mutants: {
    "of the images' choices alone": like(tf.exp, cosines, byRows),
    "that weighs pairs by their place": (i, t, s) =>
      tf.add(contrastive(i, t, s), tf.mean(tf.mul(tf.range(0, i.shape[0]!), diagonal(cosines(i, t))))),
    "with a direction of its own": like(tf.exp, (i, t) =>
      tf.add(cosines(i, t), tf.slice(unitNorm(i), [0, 0], [-1, 1])),
    ),
    "that forgets to normalise the texts": like(tf.exp, (i, t) => tf.matMul(unitNorm(i), t, false, true)),
    "that forgets to normalise the images": like(tf.exp, (i, t) => tf.matMul(i, unitNorm(t), false, true)),
    "that learns the scale and not its logarithm": like((t) => t, cosines),
    "of each pair for itself": like(tf.exp, cosines, sigmoid),
    "that is a sum": (i, t, s) => tf.mul(contrastive(i, t, s), 4 * i.shape[0]!),
    "that clamps the scale on its way": like((t) => tf.minimum(tf.exp(t), 100), cosines),
    "in which a shard meets its own texts alone": like(tf.exp, cosines, (s) => {
      const b = s.shape[0]!
      const near = tf.lessEqual(tf.abs(tf.sub(tf.reshape(tf.range(0, b), [b, 1]), tf.range(0, b))), 1)
      return matchingLoss(tf.where(near, s, tf.fill(s.shape, -1e9)))
    }),
    "with the temperature upside down": like((t) => tf.exp(tf.neg(t)), cosines),
  },
})
