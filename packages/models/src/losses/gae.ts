import * as tf from "@tensorflow/tfjs-core"
import { type Mask, select } from "./masked.js"
import { bindAxes } from "./shapes.js"

export interface GaeConfig {
  /** Discount γ. InstructGPT: 1. */
  readonly discount: number
  /** λ. Unstated in InstructGPT; 0.95 in lm-human-preferences, TRL and trlX. */
  readonly lambda: number
}

export interface Advantages {
  readonly advantages: tf.Tensor
  /** Advantages plus values: what the values should have been. */
  readonly returns: tf.Tensor
}

/**
 * Generalised advantage estimates: A_t = Σ_k (γλ)^k δ_{t+k}, δ_t = R_t + γ V_{t+1} − V_t, nothing following the end.
 * One matrix product in place of the recursion, so that it is captured and its length is fixed.
 * @param rewards  float32 b t   reward
 * @param values   float32 b t   reward   V before each token
 * @param mask     bool    b t   one run of positions a sequence; after it everything is 0
 * @returns        float32 b t   reward   0 where masked
 * @law   padding to the right changes nothing; the recursion gives the same
 * @source Schulman et al. 2016, eq. 16; Ouyang et al. 2022, appendix C
 */
export const gae = (rewards: tf.Tensor, values: tf.Tensor, mask: Mask, { discount, lambda }: GaeConfig): Advantages => {
  const { b, t } = bindAxes("gae.advantages", {
    rewards: [rewards, "b t"],
    values: [values, "b t"],
    ...(mask === undefined ? {} : { mask: [mask, "b t"] as const }),
  }) as { b: number; t: number }
  const r = select(mask, rewards) // b t
  const v = select(mask, values) // b t
  const next = tf.concat([tf.slice(v, [0, 1], [b, t - 1]), tf.zeros([b, 1])], 1) // b t
  const delta = select(mask, tf.sub(tf.add(r, tf.mul(discount, next)), v)) // b t
  const advantages = select(mask, tf.matMul(delta, decay(t, discount * lambda))) // b t
  return { advantages, returns: tf.add(advantages, v) }
}

/** [t t]: how much the error of the row's position counts for the column's: rate^(row − column), 0 before it. */
const decay = (t: number, rate: number): tf.Tensor2D =>
  tf.tensor2d(
    Float32Array.from({ length: t * t }, (_, i) => {
      const ahead = Math.floor(i / t) - (i % t)
      return ahead < 0 ? 0 : rate ** ahead
    }),
    [t, t],
  )
