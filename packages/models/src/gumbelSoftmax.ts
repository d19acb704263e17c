/** A relaxed draw of a category: differentiable, and one-hot in the limit. */
import { softmax } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"

/**
 * softmax((logits + noise) / temperature). The index of its largest entry is a draw from softmax(logits), whatever the
 * temperature. It is used as it is in both directions, and not replaced by the one-hot draw in one of them.
 * @param logits       float32  … k
 * @param noise        float32  … k   standard Gumbel: `random.gumbel`
 * @param temperature  above 0
 * @returns            float32  … k   probabilities
 * @law    lies on the simplex
 * @law    is nearly one-hot near temperature 0 and nearly uniform at a great one
 * @source Jang et al. 2017, equation 2; Maddison et al. 2017
 */
export const gumbelSoftmax = (logits: tf.Tensor, noise: tf.Tensor, temperature: tf.Scalar | number): tf.Tensor =>
  softmax(tf.div(tf.add(logits, noise), temperature))
