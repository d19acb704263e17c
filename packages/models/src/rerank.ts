/**
 * Best of n: of several samples for one prompt those that a score likes best.
 *   scores -> the places of the k largest, best first -> samples at these places
 * Source   Ramesh et al. 2021, section 2.6: images by CLIP's score of image and caption.
 * Axes     b batch, n samples, k samples that are kept, s whatever a sample consists of
 */
import { BadConfig, defineTensorNode, tensor } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"

export interface Ranked {
  /** Falling along k. float32  b k */
  readonly scores: tf.Tensor
  /** Places among the n samples; of equal scores the first comes first. int32  b k */
  readonly places: tf.Tensor
}

/**
 * The best `keep` of n samples.
 * @param scores  float32  b n
 * @throws BadConfig  fewer than `keep` samples
 * @law   permuting the samples permutes what is kept
 * @law   the best k are the first k of the best k + 1
 */
export const rerank = (scores: tf.Tensor, keep: number): Ranked => {
  const n = scores.shape[1] ?? 0
  if (!Number.isInteger(keep) || keep < 1 || keep > n) {
    throw new BadConfig({
      where: "rerank",
      expected: `to keep 1 to ${n} of ${n} samples`,
      received: `keep ${keep}`,
      fix: "draw more samples, or keep fewer",
    })
  }
  const { values, indices } = tf.topk(scores, keep, true)
  return { scores: values, places: indices }
}

/**
 * Samples at places of each row.
 * @param samples  b n s
 * @param places   int32  b k
 * @returns        b k s
 */
export const takeRanked = (samples: tf.Tensor, places: tf.Tensor): tf.Tensor => {
  const [b = 0, n = 0, s = 0] = samples.shape
  const first = tf.reshape(tf.range(0, b * n, n, "int32"), [b, 1])
  const flat = tf.reshape(tf.add(places, first), [-1]) as tf.Tensor1D
  return tf.reshape(tf.gather(tf.reshape(samples, [b * n, s]), flat), [b, places.shape[1] ?? 0, s])
}

/**
 * KL of the best of n from a single sample, for samples of a continuous distribution, in nats: ln n − (n − 1) / n. Where
 * samples can be equal it is a bound from above.
 * @source Stiennon et al. 2020, appendix G.3
 */
export const bestOfKl = (n: number): number => Math.log(n) - (n - 1) / n

export const bestOf = {
  /** `codes` of n images for each caption and their `scores` -> the best k images' codes, best first. */
  codes: defineTensorNode({
    type: "bestOf.codes",
    version: 1,
    source: "Ramesh et al. 2021, section 2.6",
    config: Schema.Struct({
      keep: Schema.Int.check(Schema.isGreaterThan(0)).annotate({ description: "1 of 512: Ramesh et al. 2021" }),
    }),
    ports: ({ keep }) => ({
      in: { codes: tensor("int32", "b n s", "code"), scores: tensor("float32", "b n", "cosine") },
      out: {
        codes: tensor("int32", "b k s", "code"),
        scores: tensor("float32", "b k", "cosine"),
        places: tensor("int32", "b k", "place"),
      },
      sizes: { k: keep },
    }),
    apply: ({ keep }, _, { codes, scores }) => {
      const ranked = rerank(scores, keep)
      return { ...ranked, codes: takeRanked(codes, ranked.places) }
    },
    laws: async ({ keep }) => (await import("./laws/imageNodeLaws.js")).bestOfNodeLaws(keep),
  }),
}
