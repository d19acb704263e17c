/**
 * Zero-shot classification: the class whose text an image is nearest to.
 * Source   Radford et al. 2021, sections 3.1.2 and 3.1.4.
 * Axes     b batch, k classes, n prompts of a class, j joint width
 */
import { softmax } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { unitNorm } from "./unitNorm.js"

/**
 * One feature a class, from those of its prompts: their mean, at length 1 again. The ensemble is made in feature space, so
 * that it costs no more to use than one prompt.
 * @param prompts  float32  k n j   of length 1
 * @returns        float32  k j     of length 1
 * @law            the order of the prompts is irrelevant
 */
export const ensemble = (prompts: tf.Tensor): tf.Tensor => unitNorm(tf.mean(prompts, 1))

/**
 * softmax(scale · cosines).
 * @param images   float32  b j   of length 1
 * @param classes  float32  k j   of length 1
 * @returns        float32  b k
 * @law            the likeliest class is the same at every scale
 */
export const classProbabilities = (images: tf.Tensor, classes: tf.Tensor, scale: number): tf.Tensor =>
  softmax(tf.mul(tf.matMul(images, classes, false, true), scale))
