/** What the configs of loss nodes share: each convention by its name, and who follows it. */
import { tensor } from "@millrace/core"
import { Schema } from "effect"
import { klEstimators } from "./klEstimate.js"
import { normalisers } from "./masked.js"

export const positive = Schema.Finite.check(Schema.isGreaterThan(0))
export const notNegative = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
export const share = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

export const NormaliserName = Schema.Literals(normalisers).annotate({
  description:
    "token-mean: lm-human-preferences, TRL, trlX. sequence-mean: an option of OpenRLHF. sequence-sum: log-likelihoods of whole sequences.",
})

export const KlEstimatorName = Schema.Literals(klEstimators).annotate({
  description: "k1: Ouyang et al. 2022, eq. 2, and every code read. k3: also in TRL. k2, k3: also in OpenRLHF.",
})

/** Ports of rollouts: one column a token. */
export const logProb = tensor("float32", "b t", "log-prob")
export const mask = tensor("float32", "b t", "mask")
export const logits = tensor("float32", "b t v", "logit")
