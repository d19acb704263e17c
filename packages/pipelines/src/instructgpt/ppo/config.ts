/** The config of PPO-ptx: every convention by its name. */
import { AdamW, Schedule } from "@millrace/core"
import { Schema } from "effect"

export const PpoConfig = Schema.Struct({
  /** Rollouts followed by updates. */
  iterations: Schema.Int,
  /** Answers a rollout. InstructGPT: 512. */
  episodes: Schema.Int,
  /** Answers an update. InstructGPT: 64. */
  minibatch: Schema.Int,
  /** Passes over the answers of a rollout. InstructGPT: 1. */
  epochs: Schema.Int,
  schedule: Schedule,
  optimizer: AdamW,
  /** The largest global norm of the gradients, of policy and value model together. */
  clip: Schema.Number,
  /** The value model's learning rate as a multiple of the policy's. */
  valueRate: Schema.Number,
  kl: Schema.Struct({
    /** β, reward a nat, at the start. InstructGPT: 0.02, fixed. */
    beta: Schema.Number,
    /** "adaptive": lm-human-preferences' controller steers the KL of an answer to the target. */
    controller: Schema.Literals(["fixed", "adaptive"]),
    /** KL of a whole answer, nat. */
    target: Schema.Number,
    horizon: Schema.Number,
    estimator: Schema.Literals(["k1", "k2", "k3"]),
  }),
  /** Where the score lands: "last-token" as OpenRLHF and trlX, "fixed-end" as lm-human-preferences, "after-last" as TRL. */
  placement: Schema.Literals(["last-token", "fixed-end", "after-last"]),
  /** Advantages whitened with the biased variance (lm-human-preferences) or the unbiased one (TRL). */
  whitening: Schema.Literals(["biased", "unbiased"]),
  discount: Schema.Number,
  /** Unstated in InstructGPT; 0.95 in lm-human-preferences. */
  lambda: Schema.Number,
  /** ε of the policy's ratio and of the values. */
  ratioClip: Schema.Number,
  valueClip: Schema.Number,
  valueCoefficient: Schema.Number,
  /** PPO-ptx: γ. InstructGPT: 27.8, with 8 windows of pretraining text an answer; here there is one, as long as a row. */
  ptx: Schema.Struct({ coefficient: Schema.Number }),
})
export type PpoConfig = typeof PpoConfig.Type
