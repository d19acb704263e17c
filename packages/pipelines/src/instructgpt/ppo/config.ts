/** The config of PPO-ptx: every convention by its name. */
import { AdamW, Schedule } from "@millrace/core"
import { Schema } from "effect"
import { Count, CountOrZero, Fraction, Positive, PositiveOrZero } from "../../ranges.js"

export const PpoConfig = Schema.Struct({
  /** Rollouts followed by updates. */
  iterations: CountOrZero,
  /** Answers a rollout. InstructGPT: 512. */
  episodes: Count,
  /** Answers an update. InstructGPT: 64. */
  minibatch: Count,
  /** Passes over the answers of a rollout. InstructGPT: 1. */
  epochs: Count,
  schedule: Schedule,
  optimizer: AdamW,
  /** The largest global norm of the gradients, of policy and value model together. */
  clip: Positive,
  /** The value model's learning rate as a multiple of the policy's. */
  valueRate: PositiveOrZero,
  kl: Schema.Struct({
    /** β, reward a nat, at the start. InstructGPT: 0.02, fixed. */
    beta: PositiveOrZero,
    /** "adaptive": lm-human-preferences' controller steers the KL of an answer to the target. */
    controller: Schema.Literals(["fixed", "adaptive"]),
    /** KL of a whole answer, nat. */
    target: Positive,
    horizon: Positive,
    estimator: Schema.Literals(["k1", "k2", "k3"]),
  }),
  /** Where the score lands: "last-token" as OpenRLHF and trlX, "fixed-end" as lm-human-preferences, "after-last" as TRL. */
  placement: Schema.Literals(["last-token", "fixed-end", "after-last"]),
  /** Advantages whitened with the biased variance (lm-human-preferences) or the unbiased one (TRL). */
  whitening: Schema.Literals(["biased", "unbiased"]),
  discount: Fraction,
  /** Unstated in InstructGPT; 0.95 in lm-human-preferences. */
  lambda: Fraction,
  /** ε of the policy's ratio and of the values. */
  ratioClip: Positive,
  valueClip: Positive,
  valueCoefficient: PositiveOrZero,
  /** PPO-ptx: windows of pretraining text an update, each as long as the context, and γ. InstructGPT: 8 an answer and 27.8. */
  ptx: Schema.Struct({ windows: Count, coefficient: PositiveOrZero }),
}).check(
  Schema.makeFilter(({ episodes, minibatch }) =>
    minibatch <= episodes ? undefined : `minibatch ${minibatch} must be at most episodes ${episodes}`,
  ),
)
export type PpoConfig = typeof PpoConfig.Type
