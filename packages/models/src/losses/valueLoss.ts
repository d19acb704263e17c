import * as tf from "@tensorflow/tfjs-core"
import { type Mask, maskedMean, type Normaliser, select } from "./masked.js"
import { bindAxes } from "./shapes.js"

export interface ValueLossConfig {
  /** ε_v: how far a value may move from the old one before its loss stops to fall. 0.2 in lm-human-preferences. */
  readonly clip?: number
  readonly normaliser: Normaliser
}

export interface ValueLoss {
  /** Reward squared. */
  readonly loss: tf.Scalar
  /** Share of tokens whose loss is the clipped one. */
  readonly clipFraction: tf.Scalar
}

/**
 * The clipped value loss of PPO: ½ mean of max((v − G)², (clip(v, v_old ± ε_v) − G)²); without a clip ½ mean (v − G)².
 * @param values     float32 b t   reward
 * @param oldValues  float32 b t   reward   when the tokens were sampled
 * @param returns    float32 b t   reward   G
 * @param mask       bool    b t
 * @law   never below the unclipped loss, and equal to it while |v − v_old| ≤ ε_v
 * @source lm-human-preferences, train_policy.py
 */
export const valueLoss = (
  values: tf.Tensor,
  oldValues: tf.Tensor,
  returns: tf.Tensor,
  mask: Mask,
  { clip, normaliser }: ValueLossConfig,
): ValueLoss => {
  bindAxes("loss.value", {
    values: [values, "b t"],
    oldValues: [oldValues, "b t"],
    returns: [returns, "b t"],
    ...(mask === undefined ? {} : { mask: [mask, "b t"] as const }),
  })
  const v = select(mask, values) // b t
  const target = select(mask, returns) // b t
  const plain = tf.square(tf.sub(v, target))
  if (clip === undefined) {
    return { loss: tf.mul(0.5, maskedMean(plain, mask, normaliser)), clipFraction: tf.scalar(0) }
  }
  const old = select(mask, oldValues) // b t
  const near = tf.add(old, tf.clipByValue(tf.sub(v, old), -clip, clip))
  const clipped = tf.square(tf.sub(near, target))
  // Within the range `near` is v but for rounding, which must not count as clipped.
  const outside = tf.logicalAnd(tf.greater(tf.abs(tf.sub(v, old)), clip), tf.greater(clipped, plain))
  return {
    loss: tf.mul(0.5, maskedMean(tf.maximum(plain, clipped), mask, normaliser)),
    clipFraction: maskedMean(tf.cast(outside, "float32"), mask, "token-mean"),
  }
}
