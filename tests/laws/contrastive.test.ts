import { ShapeMismatch } from "@millrace/core"
import { contrastiveLoss, matchingLoss, unitNorm } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { type ContrastiveLoss, contrastiveLaws, type MatchingLoss, matchingLaws } from "./contrastiveLaws.js"
import { verify } from "./law.js"
import { refuse } from "./refuse.js"

const contrastive: ContrastiveLoss = (images, texts, t) => contrastiveLoss(unitNorm(images), unitNorm(texts), t)

verify("matchingLoss", matchingLaws(matchingLoss))
verify("contrastiveLoss", contrastiveLaws(contrastive))

const diagonal = (s: tf.Tensor): tf.Tensor => tf.sum(tf.mul(s, tf.eye(s.shape[0]!)), 1)
const byRows = (s: tf.Tensor): tf.Scalar => tf.mean(tf.sub(tf.logSumExp(s, 1), diagonal(s)))
const both = (each: (s: tf.Tensor) => tf.Scalar): MatchingLoss => {
  return (s) => tf.mul(tf.add(each(s), each(tf.transpose(s))), 0.5)
}
/** The right entry left out of the sum. */
const decoupled = (s: tf.Tensor): tf.Scalar => {
  const others = tf.sub(s, tf.mul(tf.eye(s.shape[0]!), 1e9))
  return tf.mean(tf.sub(tf.logSumExp(others, 1), diagonal(s)))
}
/** Each pair for itself. */
const sigmoid: MatchingLoss = (s) => {
  const signs = tf.sub(tf.mul(tf.eye(s.shape[0]!), 2), 1)
  return tf.mean(tf.sum(tf.softplus(tf.neg(tf.mul(signs, s))), 1))
}

refuse<MatchingLoss>("matchingLoss", matchingLaws, [
  ["of the rows alone", byRows, "transposing the logits changes nothing"],
  ["of the rows alone, again", byRows, "a constant added to one row alone changes the loss"],
  [
    "that weighs the first pair twice",
    (s) =>
      tf.add(
        matchingLoss(s),
        tf.mean(tf.sub(tf.logSumExp(tf.slice(s, [0, 0], [1, -1]), 1), tf.slice(diagonal(s), 0, 1))),
      ),
    "one permutation of rows and columns changes nothing",
  ],
  ["of each pair for itself", sigmoid, "a constant added to all logits changes nothing"],
  ["of each pair for itself, with one pair", sigmoid, "a single pair costs nothing and has no gradient"],
  ["that is a sum", (s) => tf.mul(matchingLoss(s), s.shape[0]!), "equal logits cost ln b"],
  ["that leaves the right entry out of the sum", both(decoupled), "it is never below 0"],
  ["with labels in reverse", (s) => matchingLoss(tf.reverse(s, 1)), "raising a right logit never raises the loss"],
  [
    "that exponentiates as it is",
    both((s) => tf.mean(tf.sub(tf.log(tf.sum(tf.exp(s), 1)), diagonal(s)))),
    "logits of ±10,000 do not overflow",
  ],
  [
    "that adds both directions",
    (s) => tf.mul(matchingLoss(s), 2),
    "its gradient is softmax of rows plus softmax of columns minus twice the identity, over 2b",
  ],
  ["that pulls logits to 0", (s) => tf.add(matchingLoss(s), tf.mul(0.01, tf.sum(s))), "its gradient sums to 0"],
  [
    "that smooths labels",
    (s) =>
      tf.add(
        tf.mul(matchingLoss(s), 0.9),
        tf.mul(0.1, both((x) => tf.mean(tf.sub(tf.logSumExp(x, 1), tf.mean(x, 1))))(s)),
      ),
    "it has the value and the gradient of the float64 reference",
  ],
])

const like =
  (
    scale: (t: tf.Tensor) => tf.Tensor,
    logits: (i: tf.Tensor, t: tf.Tensor) => tf.Tensor,
    loss = matchingLoss,
  ): ContrastiveLoss =>
  (images, texts, t) =>
    loss(tf.mul(logits(images, texts), scale(t)))
const cosines = (i: tf.Tensor, t: tf.Tensor): tf.Tensor => tf.matMul(unitNorm(i), unitNorm(t), false, true)

refuse<ContrastiveLoss>("contrastiveLoss", contrastiveLaws, [
  ["of the images' choices alone", like(tf.exp, cosines, byRows), "images and texts can change places"],
  [
    "that weighs pairs by their place",
    (i, t, s) => tf.add(contrastive(i, t, s), tf.mean(tf.mul(tf.range(0, i.shape[0]!), diagonal(cosines(i, t))))),
    "the order of the pairs is irrelevant",
  ],
  [
    "with a direction of its own",
    like(tf.exp, (i, t) => tf.add(cosines(i, t), tf.slice(unitNorm(i), [0, 0], [-1, 1]))),
    "one rotation or reflection of both sides changes nothing",
  ],
  [
    "that forgets to normalise the texts",
    like(tf.exp, (i, t) => tf.matMul(unitNorm(i), t, false, true)),
    "the lengths of features are irrelevant",
  ],
  [
    "that forgets to normalise the images",
    like(tf.exp, (i, t) => tf.matMul(i, unitNorm(t), false, true)),
    "the gradient of each feature is orthogonal to it",
  ],
  ["that learns the scale and not its logarithm", like((t) => t, cosines), "without a scale it is ln b"],
  ["of each pair for itself", like(tf.exp, cosines, sigmoid), "a single pair costs nothing"],
  [
    "that is a sum",
    (i, t, s) => tf.mul(contrastive(i, t, s), 4 * i.shape[0]!),
    "it lies between 0 and ln(1 + (b − 1) e^(2 scale))",
  ],
  [
    "that clamps the scale on its way",
    like((t) => tf.minimum(tf.exp(t), 100), cosines),
    "the gradient of the logarithm of the scale is ⟨∂L/∂S, S⟩, also above ln 100",
  ],
  [
    "in which a shard meets its own texts alone",
    like(tf.exp, cosines, (s) => {
      const b = s.shape[0]!
      const near = tf.lessEqual(tf.abs(tf.sub(tf.reshape(tf.range(0, b), [b, 1]), tf.range(0, b))), 1)
      return matchingLoss(tf.where(near, s, tf.fill(s.shape, -1e9)))
    }),
    "it is the mean of the losses of its shards, each of whose rows meets all of the other side",
  ],
  [
    "with the temperature upside down",
    like((t) => tf.exp(tf.neg(t)), cosines),
    "it has the value and the gradient of the float64 reference",
  ],
])

test("features of two widths are refused with both shapes", () => {
  const failure = () => contrastiveLoss(tf.ones([2, 3]), tf.ones([2, 4]), tf.scalar(0))
  expect(failure).toThrow(ShapeMismatch)
  expect(failure).toThrow(/texts \[2, 4\]/)
})

test("logits that are not square are refused", () => {
  expect(() => matchingLoss(tf.ones([2, 3]))).toThrow(/logits \[2, 3\]/)
})
