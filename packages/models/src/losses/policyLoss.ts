import * as tf from "@tensorflow/tfjs-core"
import { klEstimate } from "./klEstimate.js"
import { type Mask, maskedMean, type Normaliser, select } from "./masked.js"
import { bindAxes } from "./shapes.js"

export interface PolicyLossConfig {
  /** ε of the clipped ratio. InstructGPT: 0.2. A pair gives 1 − low and 1 + high (OpenRLHF). */
  readonly clip: number | { readonly low: number; readonly high: number }
  /** lm-human-preferences, TRL and trlX: token-mean. */
  readonly normaliser: Normaliser
  /** c > 1: where the advantage is negative, the loss stays under −c A (OpenRLHF). Without it off. */
  readonly dualClip?: number
  /** Clamps log ρ to ± this before the exponential (OpenRLHF: 20). Without it off: beyond 88 ρ overflows. */
  readonly logRatioClamp?: number
}

export interface PolicyLoss {
  /** Nat times reward. */
  readonly loss: tf.Scalar
  /** Share of tokens whose loss is the clipped one. No gradient. */
  readonly clipFraction: tf.Scalar
  /** KL(old ‖ new) by k2, over the tokens that the old policy sampled (lm-human-preferences, TRL). */
  readonly approxKl: tf.Scalar
}

/**
 * The clipped surrogate of PPO: mean of max(−A ρ, −A clip(ρ, 1 − ε, 1 + ε)), ρ = π / π_old.
 * @param logProb     float32 b t   nat      of the sampled tokens under the policy
 * @param oldLogProb  float32 b t   nat      under the policy that sampled them
 * @param advantages  float32 b t   reward
 * @param mask        bool    b t
 * @law   at ρ = 1 the gradient is the policy gradient; it is 0 exactly where A > 0, ρ > 1 + ε or A < 0, ρ < 1 − ε
 * @source Schulman et al. 2017, eq. 7
 */
export const policyLoss = (
  logProb: tf.Tensor,
  oldLogProb: tf.Tensor,
  advantages: tf.Tensor,
  mask: Mask,
  { clip, normaliser, dualClip, logRatioClamp }: PolicyLossConfig,
): PolicyLoss => {
  bindAxes("loss.policy", {
    logProb: [logProb, "b t"],
    oldLogProb: [oldLogProb, "b t"],
    advantages: [advantages, "b t"],
    ...(mask === undefined ? {} : { mask: [mask, "b t"] as const }),
  })
  const { low, high } = typeof clip === "number" ? { low: clip, high: clip } : clip
  const gain = tf.neg(select(mask, advantages)) // b t
  const difference = tf.sub(select(mask, logProb), select(mask, oldLogProb)) // b t
  const ratio = tf.exp(
    logRatioClamp === undefined ? difference : tf.clipByValue(difference, -logRatioClamp, logRatioClamp),
  )
  const plain = tf.mul(gain, ratio)
  const clipped = tf.mul(gain, tf.clipByValue(ratio, 1 - low, 1 + high))
  // Of two equal losses `maximum` differentiates the first, so inside the clip range the gradient is the plain one.
  const worst = tf.maximum(plain, clipped)
  // Where A > 0 the loss is negative, and the bound, 0 there, never binds.
  const perToken = dualClip === undefined ? worst : tf.minimum(worst, tf.mul(dualClip, tf.relu(gain)))
  return {
    loss: maskedMean(perToken, mask, normaliser),
    clipFraction: maskedMean(tf.cast(tf.greater(clipped, plain), "float32"), mask, "token-mean"),
    approxKl: maskedMean(klEstimate(oldLogProb, logProb, mask, { estimator: "k2" }), mask, "token-mean"),
  }
}
