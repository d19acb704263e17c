/** A code from logits, and how probable it was. */
import { crossEntropy, type Tensors } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { drawToken, type SamplingTransform, transformLogits } from "./transform.js"

/**
 * @param own      logits of the model itself.  float32  b v
 * @param wanted   logits that are transformed and drawn from: `own`, or what guidance makes of it.  float32  b v
 * @param uniform  float32  b
 * @returns        `code` int32 b, `logProb` float32 b (under the model's own distribution) and `sampledLogProb` float32 b (under
 *                 the distribution that was sampled)
 */
export const drawCode = (
  own: tf.Tensor,
  wanted: tf.Tensor,
  uniform: tf.Tensor,
  transform: SamplingTransform,
): Tensors => {
  const transformed = transformLogits(wanted, transform) // b v
  const code = drawToken(transformed, uniform) // b
  const logProb = tf.neg(crossEntropy(own, code)) // b
  const sampledLogProb = transformed === own ? tf.clone(logProb) : tf.neg(crossEntropy(transformed, code)) // b
  return { code, logProb, sampledLogProb }
}
