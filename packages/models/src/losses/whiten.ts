import * as tf from "@tensorflow/tfjs-core"
import { atLeastOne, type Mask, select, weights } from "./masked.js"

export interface WhitenConfig {
  /** Whether the mean becomes 0 (advantages) or stays (lm-human-preferences' rewards). */
  readonly shiftMean: boolean
  /** Divide the squares by n (biased: lm-human-preferences) or n − 1 (unbiased: TRL, trlX). */
  readonly variance: "biased" | "unbiased"
  /** Added to the variance. 1e-8 in every code read. */
  readonly epsilon?: number
}

/**
 * Scales the positions that count to variance 1, all sequences together: (x − μ) / √(var + ε), and + μ unless the mean
 * is shifted.
 * @param x     float32 b t
 * @param mask  bool    b t
 * @returns     float32 b t   0 where masked
 * @law   whiten(a x + c) is sign(a) whiten(x); without the shift the mean is preserved
 */
export const whiten = (x: tf.Tensor, mask: Mask, { shiftMean, variance, epsilon = 1e-8 }: WhitenConfig): tf.Tensor => {
  const kept = select(mask, x)
  const count = tf.sum(weights(mask, x))
  const mean = tf.div(tf.sum(kept), atLeastOne(count))
  const centred = select(mask, tf.sub(kept, mean))
  const divisor = atLeastOne(variance === "biased" ? count : tf.sub(count, 1))
  const scale = tf.rsqrt(tf.add(tf.div(tf.sum(tf.square(centred)), divisor), epsilon))
  const white = tf.mul(centred, scale)
  return shiftMean ? white : select(mask, tf.add(white, mean))
}
