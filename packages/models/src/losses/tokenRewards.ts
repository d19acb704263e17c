import * as tf from "@tensorflow/tfjs-core"
import { type KlEstimator, klEstimate } from "./klEstimate.js"
import type { Mask } from "./masked.js"
import { bindAxes } from "./shapes.js"

/**
 * Where the score of a whole answer lands. InstructGPT does not say.
 *
 *   last-token   the last token that counts             OpenRLHF, trlX
 *   fixed-end    the last position of the tensor         lm-human-preferences, whose answers have one length
 *   after-last   one past the last token, if there is    TRL
 */
export type ScorePlacement = "last-token" | "fixed-end" | "after-last"

export const scorePlacements = [
  "last-token",
  "fixed-end",
  "after-last",
] as const satisfies ReadonlyArray<ScorePlacement>

export interface TokenRewardsConfig {
  readonly placement: ScorePlacement
  /** InstructGPT: k1. */
  readonly estimator: KlEstimator
  /** Clamps each KL estimate (OpenRLHF: 10). Without it off. */
  readonly klClamp?: number
}

export interface TokenRewards {
  /** b t, reward: −β · KL, and the score at its place. */
  readonly rewards: tf.Tensor
  /** b t, nat: the KL estimate of each token; 0 where masked. */
  readonly kl: tf.Tensor
  /**
   * b t, bool: the positions that hold a token or the score. Give this one to `gae`: by "after-last" and "fixed-end"
   * the score may lie where no token is, and would be masked away.
   */
  readonly mask: tf.Tensor
}

/**
 * The reward of each token: −β KL_t, plus the answer's score at its place.
 * @param score      float32 b     reward
 * @param logProb    float32 b t   nat   of the sampled tokens under the policy
 * @param reference  float32 b t   nat   under the frozen reference
 * @param mask       bool    b t   one run of tokens an answer
 * @param beta       β, reward a nat: a number, or a scalar tensor where it is adapted
 * @law   the rewards of an answer sum to its score − β Σ KL_t, wherever the score lands
 * @source Ouyang et al. 2022, eq. 2
 */
export const tokenRewards = (
  score: tf.Tensor,
  logProb: tf.Tensor,
  reference: tf.Tensor,
  mask: Mask,
  beta: number | tf.Tensor,
  { placement, estimator, klClamp }: TokenRewardsConfig,
): TokenRewards => {
  const { t } = bindAxes("rewards.token", {
    score: [score, "b"],
    logProb: [logProb, "b t"],
    reference: [reference, "b t"],
    ...(mask === undefined ? {} : { mask: [mask, "b t"] as const }),
  }) as { t: number }
  const kl = klEstimate(logProb, reference, mask, {
    estimator,
    ...(klClamp === undefined ? {} : { clamp: klClamp }),
  })
  const tokens = tf.cast(mask === undefined ? tf.ones(logProb.shape) : mask, "bool") // b t
  const place = scorePlace(tokens, t, placement) // b t
  const scores = tf.where(place, tf.expandDims(score, 1), tf.zerosLike(kl)) // b t
  return {
    rewards: tf.sub(scores, tf.mul(beta, kl)),
    kl,
    mask: placement === "fixed-end" ? tf.onesLike(tokens) : tf.logicalOr(tokens, place),
  }
}

/** [b t] bool, one true in each row that has a token; by "fixed-end" in every row. */
const scorePlace = (tokens: tf.Tensor, t: number, placement: ScorePlacement): tf.Tensor => {
  const position = tf.reshape(tf.range(0, t, 1, "float32"), [1, t]) // 1 t
  if (placement === "fixed-end") return tf.logicalAnd(tf.equal(position, t - 1), tf.onesLike(tokens))
  // −1 stands for a row without tokens, which no position equals.
  const last = tf.max(tf.sub(tf.mul(tf.cast(tokens, "float32"), tf.add(position, 1)), 1), 1, true) // b 1
  if (placement === "last-token") return tf.equal(position, last)
  const present = tf.greaterEqual(last, 0)
  return tf.logicalAnd(present, tf.equal(position, tf.minimum(tf.add(last, 1), t - 1)))
}
