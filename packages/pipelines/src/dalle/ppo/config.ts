/** The config of PPO over a sparse transformer: the conventions that it shares with InstructGPT's have the same names. */
import { AdamW, Schedule } from "@millrace/core"
import { Schema } from "effect"
import { Count, Fraction, Positive, PositiveOrZero } from "../../ranges.js"

export const CodePpoConfig = Schema.Struct({
  /** Rollouts followed by updates. */
  iterations: Count,
  /** Images a rollout. */
  episodes: Count,
  /** Images an update. */
  minibatch: Count,
  /** Passes over the images of a rollout. */
  epochs: Count,
  schedule: Schedule,
  optimizer: AdamW,
  /** The largest global norm of the gradients, of policy and value model together. */
  clip: Positive,
  /** The value model's learning rate as a multiple of the policy's. */
  valueRate: PositiveOrZero,
  /** What a cosine is multiplied with. */
  rewardScale: Positive,
  /** Reward that a nat of divergence from the prior costs. */
  beta: PositiveOrZero,
  lambda: Fraction,
  /** ε of the policy's ratio and of the values. */
  ratioClip: Positive,
  valueClip: Positive,
  valueCoefficient: PositiveOrZero,
  /** Captions of training images that rollouts are drawn for. */
  captions: Count,
  /** Captions whose images are shown before and after. */
  shown: Count,
}).check(
  Schema.makeFilter(({ episodes, minibatch }) =>
    episodes % minibatch === 0 ? undefined : `episodes ${episodes} must be a multiple of minibatch ${minibatch}`,
  ),
)
export type CodePpoConfig = typeof CodePpoConfig.Type
