import * as tf from "@tensorflow/tfjs-core"
import { unitNorm } from "../clip/unitNorm.js"
import { slerp } from "../diffusion/slerp.js"

/**
 * A text diff: an image's embedding turned from what one caption says towards what another does,
 * slerp(z_i, norm(z_t − z_t0), θ). A decoder draws it from the noise that the image's own embedding was inverted to.
 * @param image  the image's embedding, of unit norm                         float32  b c
 * @param text   that of the caption to turn to                              float32  b c
 * @param base   that of a caption of the image as it is, or of no caption   float32  b c
 * @param share  θ: 0 is the image; the paper goes up to between 0.25 and 0.5. A number, or float32 b 1
 * @returns      float32  b c
 * @law          what both captions say alike does not matter, nor how far apart they are
 * @source Ramesh et al. 2022, section 3.3
 */
export const textDiff = (image: tf.Tensor, text: tf.Tensor, base: tf.Tensor, share: tf.Tensor | number): tf.Tensor =>
  slerp(image, unitNorm(tf.sub(text, base)), share)
