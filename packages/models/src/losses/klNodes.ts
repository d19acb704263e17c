/** Divergences as nodes. */
import { defineTensorNode, tensor } from "@millrace/core"
import { Schema } from "effect"
import { KlEstimatorName, logits, logProb, mask, positive } from "./configs.js"
import { entropy } from "./entropy.js"
import { exactKl } from "./exactKl.js"
import { klEstimate } from "./klEstimate.js"

const perToken = tensor("float32", "b t", "nat")

export const kl = {
  /** `logits`, `reference`, `mask` -> KL of the whole next-token distributions at each position. */
  exact: defineTensorNode({
    type: "kl.exact",
    version: 1,
    source: "Kullback and Leibler 1951",
    config: Schema.Struct({}),
    ports: () => ({ in: { logits, reference: logits, mask }, out: perToken }),
    apply: (_, _params, inputs) => exactKl(inputs.logits, inputs.reference, inputs.mask),
    laws: async () => (await import("../laws/creditNodeLaws.js")).exactKlNodeLaws(),
  }),

  /** `logProb`, `reference`, `mask` of sampled tokens -> an estimate of the KL at each. */
  estimate: defineTensorNode({
    type: "kl.estimate",
    version: 1,
    source: "Schulman 2020, Approximating KL divergence",
    config: Schema.Struct({
      estimator: KlEstimatorName,
      clamp: Schema.optionalKey(positive.annotate({ description: "10: OpenRLHF" })),
    }),
    ports: () => ({ in: { logProb, reference: logProb, mask }, out: perToken }),
    apply: (config, _, inputs) => klEstimate(inputs.logProb, inputs.reference, inputs.mask, config),
    laws: async ({ estimator, clamp }) =>
      (await import("../laws/creditNodeLaws.js")).klEstimateNodeLaws(estimator, clamp),
  }),

  /** `logits`, `mask` -> the entropy of the next-token distribution at each position. */
  entropy: defineTensorNode({
    type: "kl.entropy",
    version: 1,
    config: Schema.Struct({}),
    ports: () => ({ in: { logits, mask }, out: perToken }),
    apply: (_, _params, inputs) => entropy(inputs.logits, inputs.mask),
    laws: async () => (await import("../laws/creditNodeLaws.js")).entropyNodeLaws(),
  }),
}
