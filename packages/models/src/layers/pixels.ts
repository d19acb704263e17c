/** The ε-map: pixels moved away from 0 and 1, where a logit is not finite. */
import * as tf from "@tensorflow/tfjs-core"

/** ε, as the paper chose it. */
export const pixelMargin = 0.1

/**
 * φ(x) = (1 − 2 ε) x + ε.
 * @param x   pixels  float32  …   in [0, 1]
 * @returns           float32  …   in [ε, 1 − ε]
 * @law     φ(1 − x) = 1 − φ(x)
 * @source  Ramesh et al. 2021, appendix A.3; openai/DALL-E `utils.map_pixels`
 */
export const mapPixels = (x: tf.Tensor): tf.Tensor => tf.add(tf.mul(x, 1 - 2 * pixelMargin), pixelMargin)

/**
 * The pixels that φ mapped, and the nearest of 0 and 1 for what φ never gives.
 * @param x   float32  …
 * @returns   float32  …   in [0, 1]
 * @law     undoes φ
 * @source  openai/DALL-E `utils.unmap_pixels`
 */
export const unmapPixels = (x: tf.Tensor): tf.Tensor =>
  tf.clipByValue(tf.div(tf.sub(x, pixelMargin), 1 - 2 * pixelMargin), 0, 1)
