import * as tf from "@tensorflow/tfjs-core"

/**
 * Of several sampled embeddings the one that is closest to the caption's: with the largest dot product, and the first of
 * those that tie. The paper draws two.
 * @param candidates  float32  b n c
 * @param text        the captions' embeddings   float32  b c
 * @returns           float32  b c
 * @law               more candidates never lower the dot product
 * @source Ramesh et al. 2022, section 2.2
 */
export const closestCandidate = (candidates: tf.Tensor, text: tf.Tensor): tf.Tensor => {
  const [b = 0, n = 0, c = 0] = candidates.shape
  const dots = tf.sum(tf.mul(candidates, tf.reshape(text, [b, 1, c])), 2) // b n
  const chosen = tf.add(tf.argMax(dots, 1), tf.range(0, b * n, n, "int32")) // b
  return tf.gather(tf.reshape(candidates, [b * n, c]), chosen as tf.Tensor1D)
}
