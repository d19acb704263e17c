/** The laws that the nodes of rewards, advantages and divergences carry. */
import {
  bounded,
  causal,
  linear,
  maskedNeverLeaks,
  maskLaws,
  type NodeLaws,
  nonNegative,
  paddingInvariant,
  shiftInvariant,
  type TensorSubject,
  weighed,
} from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import type { KlEstimator } from "../losses/klEstimate.js"
import type { WhitenConfig } from "../losses/whiten.js"
import { entropyLaws } from "./entropyLaws.js"
import { type Gae, gaeLaws } from "./gaeLaws.js"
import { klEstimateLaws, klLaws } from "./klLaws.js"
import { all, asFloat, one, several } from "./outputs.js"
import { type TokenRewardsOf, tokenRewardsLaws } from "./tokenRewardsLaws.js"
import { whitenLaws } from "./whitenLaws.js"

export const tokenRewardsNodeLaws = (): NodeLaws => {
  const rewards: (s: TensorSubject) => TokenRewardsOf = (s) => (score, logProb, reference, mask, beta) => {
    const given = { score, logProb, reference, mask: asFloat(mask), beta: tf.scalar(beta) }
    return several(s, given) as { rewards: tf.Tensor; kl: tf.Tensor; mask: tf.Tensor }
  }
  return {
    laws: [(s) => tokenRewardsLaws(rewards(s)), maskedNeverLeaks("mask", ["logProb", "reference"])],
  }
}

export const gaeNodeLaws = ({
  discount,
  lambda,
}: {
  readonly discount: number
  readonly lambda: number
}): NodeLaws => ({
  laws: [
    (s) => {
      const gae: Gae = (rewards, values) => {
        const given = several(s, { rewards, values, mask: all(rewards) })
        return { advantages: given.advantages!, returns: given.returns! }
      }
      return gaeLaws(gae, { discount, lambda })
    },
    linear("rewards", "values"),
    maskedNeverLeaks("mask", ["rewards", "values"]),
    paddingInvariant("mask"),
    causal("t", { reads: "later" }),
  ],
})

export const whitenNodeLaws = (config: WhitenConfig): NodeLaws => ({
  // The mean and the variance are those of the whole batch.
  batch: "coupled",
  laws: [
    ...((config.epsilon ?? 0) > 1e-6
      ? []
      : [(s: TensorSubject) => whitenLaws((advantages, mask) => one(s, { advantages, mask: asFloat(mask) }), config)]),
    paddingInvariant("mask"),
  ],
})

export const exactKlNodeLaws = (): NodeLaws => ({
  laws: [
    (s) => klLaws((logits, reference) => one(s, { logits, reference, mask: all(logits, 2) })),
    (s) => maskLaws([[3], [3]], ([p, q], mask) => weighed(one(s, { logits: p!, reference: q!, mask: asFloat(mask) }))),
    shiftInvariant("logits", "v"),
    shiftInvariant("reference", "v"),
  ],
})

export const klEstimateNodeLaws = (estimator: KlEstimator, clamp?: number): NodeLaws => ({
  laws: [
    ...(clamp === undefined
      ? [
          (s: TensorSubject) =>
            klEstimateLaws((logProb, reference) => one(s, { logProb, reference, mask: all(logProb) }), {
              unbiased: estimator !== "k2",
              positive: estimator !== "k1",
            }),
        ]
      : [bounded(-clamp, clamp)]),
    (s) => maskLaws([[], []], ([p, q], mask) => weighed(one(s, { logProb: p!, reference: q!, mask: asFloat(mask) }))),
    ...(estimator === "k1" ? [] : [nonNegative()]),
  ],
})

export const entropyNodeLaws = (): NodeLaws => ({
  laws: [
    (s) => entropyLaws((logits) => one(s, { logits, mask: all(logits, 2) })),
    (s) => maskLaws([[3]], ([logits], mask) => weighed(one(s, { logits: logits!, mask: asFloat(mask) }))),
    shiftInvariant("logits", "v"),
  ],
})
