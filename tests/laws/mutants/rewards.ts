import { type ScorePlacement, tokenRewards } from "@millrace/models"
import { type TokenRewardsOf, tokenRewardsLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

const at =
  (placement: ScorePlacement): TokenRewardsOf =>
  (score, p, q, mask, beta) =>
    tokenRewards(score, p, q, mask, beta, { placement, estimator: "k1" })
const ours = at("last-token")

export const tokenRewardsMutants = mutantSet<TokenRewardsOf>({
  subject: "rewards of tokens",
  laws: tokenRewardsLaws,
  real: ours,
  mutants: {
    "that rewards the KL": (score, p, q, mask, beta) => ours(score, p, q, mask, -beta),
    "that turns the KL round": (score, p, q, mask, beta) => {
      const given = ours(score, p, q, mask, beta)
      return { ...given, kl: tf.neg(given.kl) }
    },
    "that spreads the score over all tokens": (score, p, q, mask, beta) => {
      const given = ours(tf.zerosLike(score), p, q, mask, beta)
      const share = tf.div(tf.cast(mask, "float32"), tf.sum(tf.cast(mask, "float32"), 1, true))
      return { ...given, rewards: tf.add(given.rewards, tf.mul(share, tf.expandDims(score, 1))) }
    },
    "that gives the score to every token": (score, p, q, mask, beta) => {
      const given = ours(tf.zerosLike(score), p, q, mask, beta)
      const everywhere = tf.mul(tf.cast(mask, "float32"), tf.expandDims(score, 1))
      return { ...given, rewards: tf.add(given.rewards, everywhere) }
    },
    "that counts the KL of padding": (score, p, q, mask, beta) => {
      const given = ours(score, p, q, mask, beta)
      const kl = tf.sub(p, q)
      return { ...given, kl, rewards: tf.sub(tf.add(given.rewards, tf.mul(beta, given.kl)), tf.mul(beta, kl)) }
    },
    "that hides the place of the score from its mask": (score, p, q, mask, beta) => ({
      ...at("after-last")(score, p, q, mask, beta),
      mask,
    }),
    "that clips the score": (score, p, q, mask, beta) => ours(tf.clipByValue(score, -1, 1), p, q, mask, beta),
    "that takes the mean score of the batch": (score, p, q, mask, beta) =>
      ours(tf.sub(score, tf.mean(score)), p, q, mask, beta),
    "that adds a penalty of its own": (score, p, q, mask, beta) => {
      const given = ours(score, p, q, mask, beta)
      return { ...given, rewards: tf.sub(given.rewards, tf.mul(0.1, given.kl)) }
    },
  },
})
