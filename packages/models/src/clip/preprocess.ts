import * as tf from "@tensorflow/tfjs-core"

/**
 * Mean and standard deviation of red, green and blue in [0, 1] over CLIP's training images. Images come cut to a square at
 * the model's size: openai/CLIP resizes the shorter side bicubically and keeps the middle.
 * @source openai/CLIP `clip.py`
 */
export const clipPixels = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const

/** Pixels in [0, 1] as CLIP's image towers take them. float32 `… c`, of the same shape */
export const preprocess = (pixels: tf.Tensor): tf.Tensor =>
  tf.div(tf.sub(pixels, tf.tensor1d([...clipPixels.mean])), tf.tensor1d([...clipPixels.std]))
