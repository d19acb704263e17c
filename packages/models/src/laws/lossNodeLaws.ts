/** The laws that the loss nodes carry. A node imports them when they are asked for. */
import {
  bounded,
  convex,
  gradientSumsToZero,
  homogeneous,
  linear,
  maskedNeverLeaks,
  maskLaws,
  monotone,
  type NodeLaws,
  nonNegative,
  paddingInvariant,
  permutationInvariant,
  type SubjectLaws,
  shiftInvariant,
  type TensorSubject,
  tokens,
} from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import type { Normaliser } from "../losses/masked.js"
import type { PpoLossConfig } from "../losses/ppo.js"
import type { RankingLossConfig } from "../losses/ranking.js"
import type { SparseLoss, SparseLossConfig } from "../losses/sparse.js"
import { crossEntropyLaws } from "./crossEntropyLaws.js"
import { logProbsLaws } from "./logProbsLaws.js"
import { all, asFloat, type Inputs, one, scalar, several } from "./outputs.js"
import { policyLossLaws } from "./policyLossLaws.js"
import { ptxLaws } from "./ptxLaws.js"
import { rankingLaws } from "./rankingLaws.js"
import { sparseLossLaws } from "./sparseLossLaws.js"
import { valueLossLaws } from "./valueLossLaws.js"

export const sftNodeLaws = (normaliser: Normaliser): NodeLaws => ({
  laws: [
    (s) =>
      crossEntropyLaws((logits, tokens, mask) => scalar(s, { logits, tokens, mask: asFloat(mask) }), {
        tokenMean: normaliser === "token-mean",
      }),
    shiftInvariant("logits", "v"),
    gradientSumsToZero("logits", "v"),
    paddingInvariant("mask"),
    permutationInvariant("b"),
    nonNegative(),
  ],
})

export const logProbsNodeLaws = (): NodeLaws => ({
  laws: [(s) => logProbsLaws((logits, tokens, mask) => one(s, { logits, tokens, mask: asFloat(mask) }))],
})

/** Of a node without a mask. */
export const wholeLogProbsNodeLaws = (): NodeLaws => ({
  laws: [shiftInvariant("logits", "v"), gradientSumsToZero("logits", "v"), bounded(Number.NEGATIVE_INFINITY, 0)],
})

export const rankingNodeLaws = ({ margin = 0, centering = 0 }: RankingLossConfig): NodeLaws => {
  const plain: ReadonlyArray<SubjectLaws> = [
    (s) => rankingLaws((rewards, preference) => scalar(s, { rewards, preference, mask: all(rewards) })),
  ]
  return {
    ranges: { k: [2, 5] },
    laws: [
      ...(margin === 0 && centering === 0 ? plain : []),
      ...(centering === 0 ? [shiftInvariant("rewards", "k"), gradientSumsToZero("rewards", "k")] : []),
      (s) =>
        maskLaws(
          [[]],
          ([rewards], mask) =>
            scalar(s, { rewards: rewards!, preference: tf.cumsum(tf.onesLike(rewards!), 1), mask: asFloat(mask) }),
          { shortest: 2 },
        ),
      maskedNeverLeaks("mask", ["rewards", "preference"]),
      permutationInvariant("k"),
      permutationInvariant("b"),
      convex("rewards"),
      nonNegative(),
    ],
  }
}

export const ppoNodeLaws = (config: PpoLossConfig): NodeLaws => {
  const { clip, valueClip, normaliser } = config
  // Sums over sequences are no means, and the laws are of means.
  const plainClip =
    typeof clip === "number" && config.dualClip === undefined && config.logRatioClamp === undefined ? clip : undefined
  const policy: ReadonlyArray<SubjectLaws> =
    plainClip === undefined || normaliser === "sequence-sum"
      ? []
      : [
          (s) =>
            policyLossLaws(() => (p, old, a) => loss(s, "policyLoss", { logProb: p, oldLogProb: old, advantages: a }), {
              epsilon: plainClip,
            }),
        ]
  const value: ReadonlyArray<SubjectLaws> =
    valueClip === undefined || normaliser === "sequence-sum"
      ? []
      : [
          (s) =>
            valueLossLaws(() => (v, old, g) => loss(s, "valueLoss", { values: v, oldValues: old, returns: g }), {
              epsilon: valueClip,
            }),
        ]
  const names = ["logProb", "oldLogProb", "advantages", "values", "oldValues", "returns"]
  return {
    laws: [
      ...policy,
      ...value,
      maskedNeverLeaks("mask", names),
      paddingInvariant("mask"),
      permutationInvariant("b"),
      nonNegative("valueLoss"),
      bounded(0, 1, "clipFraction"),
    ],
  }
}

/** A loss of `loss.ppo` where nothing is masked and the other inputs are 0. */
const loss = (s: TensorSubject, output: string, given: Inputs): tf.Scalar => {
  const like = Object.values(given)[0]!
  const zero = tf.zerosLike(like)
  const rest = { logProb: zero, oldLogProb: zero, advantages: zero, values: zero, oldValues: zero, returns: zero }
  return several(s, { ...rest, ...given, mask: all(like) })[output] as tf.Scalar
}

export const ptxNodeLaws = (coefficient: number): NodeLaws => ({
  laws: [
    linear("ppo", "pretraining"),
    homogeneous(["ppo", "pretraining"]),
    monotone("pretraining", "rising"),
    monotone("ppo", "rising"),
    (s) => ptxLaws(() => (ppo, pretraining) => scalar(s, { ppo, pretraining }), { coefficient }),
  ],
})

export const sparseLossNodeLaws = ({ pads }: SparseLossConfig): NodeLaws => ({
  laws: [
    (s) =>
      sparseLossLaws(
        (text, image, tokens, mask, codes) => {
          const { loss, textLoss, imageLoss } = several(s, { text, image, tokens, mask, codes })
          return { loss, textLoss, imageLoss } as SparseLoss
        },
        { pads },
      ),
    permutationInvariant("b"),
  ],
  // The last t of v classes are paddings.
  sizes: { v: 6 },
  ranges: { t: [1, 3] },
  examples: { tokens: (shape) => tokens(shape, 3) },
})
