import * as tf from "@tensorflow/tfjs-core"
import type { Mask, Normaliser } from "./masked.js"
import { type PolicyLossConfig, policyLoss } from "./policyLoss.js"
import { valueLoss } from "./valueLoss.js"

export interface PpoLossConfig extends PolicyLossConfig {
  /** ε_v of the value loss. Without it values are not clipped. */
  readonly valueClip?: number
  /** c_v: weight of the value loss. 0.1 in lm-human-preferences and TRL, 1 in trlX. */
  readonly valueCoefficient: number
  readonly normaliser: Normaliser
}

/** One batch of rollouts and what the networks now say of it. All [b t]. */
export interface PpoBatch {
  readonly logProb: tf.Tensor
  readonly oldLogProb: tf.Tensor
  readonly advantages: tf.Tensor
  readonly values: tf.Tensor
  readonly oldValues: tf.Tensor
  readonly returns: tf.Tensor
  readonly mask?: tf.Tensor
}

export interface PpoLoss {
  readonly loss: tf.Scalar
  readonly policyLoss: tf.Scalar
  readonly valueLoss: tf.Scalar
  readonly clipFraction: tf.Scalar
  readonly valueClipFraction: tf.Scalar
  readonly approxKl: tf.Scalar
}

/**
 * L_policy + c_v L_value, with the statistics that say how far the policy has moved. No entropy bonus, as in every
 * code that trained on human preferences; `entropy` is there as a statistic.
 * @source Schulman et al. 2017, eq. 9; Ouyang et al. 2022, appendix C
 */
export const ppoLoss = (batch: PpoBatch, config: PpoLossConfig): PpoLoss => {
  const mask: Mask = batch.mask
  const policy = policyLoss(batch.logProb, batch.oldLogProb, batch.advantages, mask, config)
  const value = valueLoss(batch.values, batch.oldValues, batch.returns, mask, {
    normaliser: config.normaliser,
    ...(config.valueClip === undefined ? {} : { clip: config.valueClip }),
  })
  return {
    loss: tf.add(policy.loss, tf.mul(config.valueCoefficient, value.loss)),
    policyLoss: policy.loss,
    valueLoss: value.loss,
    clipFraction: policy.clipFraction,
    valueClipFraction: value.clipFraction,
    approxKl: policy.approxKl,
  }
}
