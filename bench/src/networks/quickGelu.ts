import * as tf from "@tensorflow/tfjs-core"

/** x σ(1.702 x), elementwise: the activation of CLIP's released weights. */
export const quickGelu = (x: tf.Tensor): tf.Tensor => tf.mul(x, tf.sigmoid(tf.mul(x, 1.702)))
