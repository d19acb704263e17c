import * as tf from "@tensorflow/tfjs-core"
import { type Mask, select } from "./masked.js"
import { bindAxes } from "./shapes.js"

/** With r = reference / policy: k1 = −log r, k2 = ½ (log r)², k3 = (r − 1) − log r. */
export type KlEstimator = "k1" | "k2" | "k3"

export const klEstimators = ["k1", "k2", "k3"] as const satisfies ReadonlyArray<KlEstimator>

export interface KlEstimateConfig {
  readonly estimator: KlEstimator
  /** Clamps the estimate to ± this (OpenRLHF: 10). Without it nothing is clamped. */
  readonly clamp?: number
}

/**
 * Estimates of KL(policy ‖ reference) from tokens that the policy sampled, one a token; 0 where masked.
 * Only a sample from the untruncated policy is unbiased: after top-k or top-p the mean of k1 can be negative.
 * @param logProb    float32 b t   nat   of the sampled tokens under the policy
 * @param reference  float32 b t   nat   under the reference
 * @param mask       bool    b t
 * @returns          float32 b t   nat
 * @law   k1 and k3 have the exact KL as their mean; k2 and k3 are never negative
 * @source Schulman 2020, "Approximating KL divergence"; Ouyang et al. 2022, eq. 2 has k1
 */
export const klEstimate = (
  logProb: tf.Tensor,
  reference: tf.Tensor,
  mask: Mask,
  { estimator, clamp }: KlEstimateConfig,
): tf.Tensor => {
  bindAxes("kl.estimate", {
    logProb: [logProb, "b t"],
    reference: [reference, "b t"],
    ...(mask === undefined ? {} : { mask: [mask, "b t"] as const }),
  })
  const k1 = tf.sub(select(mask, logProb), select(mask, reference)) // b t
  const estimate = estimators[estimator](k1)
  return clamp === undefined ? estimate : tf.clipByValue(estimate, -clamp, clamp)
}

const estimators: Readonly<Record<KlEstimator, (k1: tf.Tensor) => tf.Tensor>> = {
  k1: (k1) => k1,
  k2: (k1) => tf.mul(0.5, tf.square(k1)),
  // expm1 keeps the digits that exp(−k1) − 1 loses near 0, where most tokens are.
  k3: (k1) => tf.add(tf.expm1(tf.neg(k1)), k1),
}
