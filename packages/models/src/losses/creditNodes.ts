/** From a score to advantages, as nodes: what each token of an answer is to be given credit for. */
import { defineTensorNode, tensor } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { KlEstimatorName, logProb, mask, positive, share } from "./configs.js"
import { gae } from "./gae.js"
import { scorePlacements, tokenRewards } from "./tokenRewards.js"
import { whiten } from "./whiten.js"

const rewards = tensor("float32", "b t", "reward")
const values = tensor("float32", "b t", "value")
const advantages = tensor("float32", "b t", "advantage")

export const credit = {
  /** `score`, `logProb`, `reference`, `mask`, `beta` -> rewards of the tokens, their KL, and the mask for the advantages. */
  rewards: defineTensorNode({
    type: "rewards.token",
    version: 1,
    source: "Ouyang et al. 2022, eq. 2",
    config: Schema.Struct({
      placement: Schema.Literals(scorePlacements).annotate({
        description: "last-token: OpenRLHF, trlX. fixed-end: lm-human-preferences. after-last: TRL.",
      }),
      estimator: KlEstimatorName,
      klClamp: Schema.optionalKey(positive.annotate({ description: "10: OpenRLHF" })),
    }),
    ports: () => ({
      in: {
        score: tensor("float32", "b", "reward"),
        logProb,
        reference: logProb,
        mask,
        beta: tensor("float32", "", "reward per nat"),
      },
      out: { rewards, kl: tensor("float32", "b t", "nat"), mask },
    }),
    apply: (config, _, { score, logProb, reference, mask, beta }) => {
      const given = tokenRewards(score, logProb, reference, mask, beta, config)
      return { rewards: given.rewards, kl: given.kl, mask: tf.cast(given.mask, "float32") }
    },
    laws: async () => (await import("../laws/creditNodeLaws.js")).tokenRewardsNodeLaws(),
  }),

  /** `rewards`, `values`, `mask` -> advantages and returns. */
  advantages: defineTensorNode({
    type: "gae.advantages",
    version: 1,
    source: "Schulman et al. 2016, eq. 16",
    config: Schema.Struct({
      discount: share.annotate({ description: "1: Ouyang et al. 2022, appendix C" }),
      lambda: share.annotate({
        description: "0.95: lm-human-preferences, TRL, trlX. Unstated in Ouyang et al. 2022.",
      }),
    }),
    ports: () => ({ in: { rewards, values, mask }, out: { advantages, returns: values } }),
    apply: (config, _, { rewards, values, mask }) => ({ ...gae(rewards, values, mask, config) }),
    laws: async (config) => (await import("../laws/creditNodeLaws.js")).gaeNodeLaws(config),
  }),

  /** `advantages`, `mask` -> the same, scaled to variance 1. */
  whiten: defineTensorNode({
    type: "whiten",
    version: 1,
    source: "lm-human-preferences, core.py",
    config: Schema.Struct({
      shiftMean: Schema.Boolean.annotate({
        description: "true for advantages; false for lm-human-preferences' rewards",
      }),
      variance: Schema.Literals(["biased", "unbiased"]).annotate({
        description: "biased: lm-human-preferences. unbiased: TRL, trlX.",
      }),
      epsilon: Schema.optionalKey(positive.annotate({ description: "1e-8 in every code read" })),
    }),
    ports: () => ({ in: { advantages, mask }, out: advantages }),
    apply: (config, _, { advantages, mask }) => whiten(advantages, mask, config),
    laws: async (config) => (await import("../laws/creditNodeLaws.js")).whitenNodeLaws(config),
  }),
}
