import { ShapeMismatch } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { atLeastOne, type Mask, select } from "./masked.js"
import { bindAxes } from "./shapes.js"

export interface RankingLossConfig {
  /**
   * What the losses of one prompt's pairs are divided by. The paper drops ties and does not say which.
   *   pairs-left   the pairs that remain without ties: every prompt weighs the same
   *   choose-k     K (K − 1) / 2 for K real answers: a prompt with ties weighs less
   */
  readonly divisor: "pairs-left" | "choose-k"
  /** −log σ(Δ − margin): the gap wanted between the answers of a pair (TRL). Without it 0. */
  readonly margin?: number
  /** Adds c · (r_w + r_l)² to each pair, which keeps rewards near 0 (TRL; 0.01 is usual). Without it 0. */
  readonly centering?: number
}

/**
 * The pairs of each prompt as a matrix: 1 where answer i is preferred to answer j, both being real; ties give none.
 * @returns float32 b k k
 */
export const preferredPairs = (preference: tf.Tensor, mask: Mask): tf.Tensor => {
  const known = select(mask, preference) // b k
  const better = tf.greater(tf.expandDims(known, 2), tf.expandDims(known, 1)) // b k k
  if (mask === undefined) return tf.cast(better, "float32")
  const real = tf.cast(mask, "bool") // b k
  const both = tf.logicalAnd(tf.expandDims(real, 2), tf.expandDims(real, 1)) // b k k
  return tf.cast(tf.logicalAnd(better, both), "float32")
}

/**
 * Ranking loss over all pairs of each prompt's K answers, each prompt being one batch element:
 *   −(1/B) Σ_b (1/pairs_b) Σ_{i ≻ j} log σ(r_i − r_j)
 * B counts the prompts that have a pair; without any the loss is 0.
 * @param rewards     float32 b k   reward
 * @param preference  float32 b k   higher is better; equal numbers are a tie and make no pair
 * @param mask        bool    b k   the real answers, where prompts have different K
 * @returns           float32       nat
 * @fails ShapeMismatch  fewer than two answers a prompt, or axes that differ
 * @law   adding a constant to a prompt's rewards changes nothing; the gradient of each prompt sums to 0
 * @source Ouyang et al. 2022, eq. 1
 */
export const rankingLoss = (
  rewards: tf.Tensor,
  preference: tf.Tensor,
  mask: Mask,
  { divisor, margin = 0, centering = 0 }: RankingLossConfig,
): tf.Scalar => {
  const { k } = bindAxes("loss.ranking", {
    rewards: [rewards, "b k"],
    preference: [preference, "b k"],
    ...(mask === undefined ? {} : { mask: [mask, "b k"] as const }),
  })
  requirePairs(k!)
  const r = select(mask, rewards) // b k
  const pairs = preferredPairs(preference, mask) // b k k
  const winner = tf.expandDims(r, 2) // b k 1
  const loser = tf.expandDims(r, 1) // b 1 k
  let perPair = tf.softplus(tf.sub(margin, tf.sub(winner, loser))) // b k k
  if (centering !== 0) perPair = tf.add(perPair, tf.mul(centering, tf.square(tf.add(winner, loser))))

  const left = tf.sum(pairs, [1, 2]) // b
  const sums = tf.sum(tf.mul(pairs, perPair), [1, 2]) // b
  const perPrompt = tf.div(sums, atLeastOne(divisor === "pairs-left" ? left : chooseTwo(r, mask))) // b
  return tf.div(tf.sum(perPrompt), atLeastOne(tf.sum(tf.cast(tf.greater(left, 0), "float32"))))
}

/** K (K − 1) / 2 for the real answers of each prompt. */
const chooseTwo = (rewards: tf.Tensor, mask: Mask): tf.Tensor => {
  const real = mask === undefined ? tf.ones(rewards.shape) : tf.cast(tf.cast(mask, "bool"), "float32") // b k
  const k = tf.sum(real, 1) // b
  return tf.mul(0.5, tf.mul(k, tf.sub(k, 1)))
}

const requirePairs = (k: number): void => {
  if (k >= 2) return
  throw new ShapeMismatch({
    where: "loss.ranking",
    expected: "rewards [b k] with k of at least 2 answers a prompt",
    received: `k = ${k}`,
    fix: "sample more answers a prompt: one answer makes no comparison (the paper has 4 to 9)",
  })
}
