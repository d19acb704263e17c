import * as tf from "@tensorflow/tfjs-core"
import { mapPixels } from "../layers/pixels.js"
import { logitLaplace } from "./logitLaplace.js"
import { bindAxes } from "./shapes.js"
import { uniformKl } from "./uniformKl.js"

/** What a decoder and an encoder say of images. */
export interface DvaeBatch {
  /** Pixels in [0, 1]. float32  b y x c */
  readonly image: tf.Tensor
  /** Of the pixels' logit-Laplace distributions. float32  b y x c */
  readonly mean: tf.Tensor
  /** ln of their scales. float32  b y x c */
  readonly logWidth: tf.Tensor
  /** Of the codes, as the encoder gives them. float32  b s k */
  readonly logits: tf.Tensor
}

export interface DvaeLoss {
  /** The negative evidence bound of a pixel's channel, nat. */
  readonly loss: tf.Scalar
  /** The surprise at a pixel's channel, a mean over the batch, nat. */
  readonly reconstruction: tf.Scalar
  /** KL from the uniform prior of an image's codes, a sum over places and a mean over the batch, nat. */
  readonly kl: tf.Scalar
}

/**
 * The negative evidence lower bound with the KL term weighed by β, divided by the numbers in an image:
 *
 *   [ Σ −ln f(pixel) + β Σ KL(codes‖uniform) ] / (y x c)
 *
 * For 256 × 256 × 3 numbers and 32 × 32 codes β · mean KL is divided by 192.
 * @param beta  weight of the KL term: 6.6 after its warm-up
 * @fails ShapeMismatch  axes that differ
 * @law   is affine in β
 * @law   the KL term does not depend on the temperature or the noise of a relaxation
 * @source Ramesh et al. 2021, equation 1 and appendix A.2
 */
export const dvaeLoss = ({ image, mean, logWidth, logits }: DvaeBatch, beta: tf.Scalar | number): DvaeLoss => {
  const { y, x, c } = bindAxes("loss.dvae", {
    image: [image, "b y x c"],
    mean: [mean, "b y x c"],
    logWidth: [logWidth, "b y x c"],
    logits: [logits, "b s k"],
  }) as { y: number; x: number; c: number }
  const size = y * x * c
  const surprise = tf.mean(tf.sum(logitLaplace(mapPixels(image), mean, logWidth), [1, 2, 3])) as tf.Scalar
  const kl = tf.mean(tf.sum(uniformKl(logits), 1)) as tf.Scalar
  return {
    loss: tf.div(tf.add(surprise, tf.mul(kl, beta)), size),
    reconstruction: tf.div(surprise, size),
    kl,
  }
}
