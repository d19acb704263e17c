import * as tf from "@tensorflow/tfjs-core"

/**
 * The mean of each 2 × 2 pixels: a stride of 2 that lets no pattern finer than itself through.
 * @param x  float32  b y x c
 * @returns  float32  b y/2 x/2 c
 */
export const halve = (x: tf.Tensor): tf.Tensor => tf.avgPool(x as tf.Tensor4D, 2, 2, "valid")
