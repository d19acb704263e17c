/** Log-probabilities of a text under a causal model, aligned with the text. */
import { crossEntropy, defineTensorNode, tensor } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { real } from "./gpt.js"

/**
 * The log-probability of each token given those before it; 0 for the first, which has none before it.
 *
 * Aligned with tokens and mask. The logits are used in place: to slice off the last would copy all of them.
 * @param logits  float32  b t v   of the token after each position
 * @param tokens  int32    b t
 * @param mask    real tokens  float32, int32 or bool  b t   a token that is not real, or that follows one that is not, gets 0
 * @returns       float32  b t     nat
 */
export const alignedLogProbs = (logits: tf.Tensor, tokens: tf.Tensor, mask?: tf.Tensor): tf.Tensor => {
  const [b = 0, t = 0] = tokens.shape
  const head = (x: tf.Tensor): tf.Tensor => tf.slice(x, [0, 0], [b, t - 1])
  const tail = (x: tf.Tensor): tf.Tensor => tf.slice(x, [0, 1], [b, t - 1])
  const kept = mask === undefined ? undefined : real(mask)
  const clean = kept === undefined ? tokens : tf.where(kept, tokens, tf.zerosLike(tokens))
  const next = tf.concat([tail(clean), tf.zeros([b, 1], "int32")], 1) // b t
  const scored = head(tf.neg(crossEntropy(logits, next))) // b t−1
  const counted =
    kept === undefined ? scored : tf.where(tf.logicalAnd(head(kept), tail(kept)), scored, tf.zerosLike(scored))
  return tf.concat([tf.zeros([b, 1]), counted], 1) // b t
}

const logits = tensor("float32", "b t v", "logit")
const tokens = tensor("int32", "b t", "token")

/** Nodes that score a text by the logits of a causal model. */
export const logProbs = {
  /** `logits`, `tokens` -> the log-probability of each token, aligned with the tokens; 0 for the first. */
  of: defineTensorNode({
    type: "logProbs.of",
    version: 1,
    config: Schema.Struct({}),
    ports: () => ({ in: { logits, tokens }, out: tensor("float32", "b t", "log-prob") }),
    apply: (_, _params, { logits, tokens }) => alignedLogProbs(logits, tokens),
    laws: async () => (await import("./laws/lossNodeLaws.js")).wholeLogProbsNodeLaws(),
  }),
  /** The same, and 0 where `mask` says that there is no token. */
  masked: defineTensorNode({
    type: "logProbs.masked",
    version: 1,
    config: Schema.Struct({}),
    ports: () => ({
      in: { logits, tokens, mask: tensor("float32", "b t", "mask") },
      out: tensor("float32", "b t", "log-prob"),
    }),
    apply: (_, _params, { logits, tokens, mask }) => alignedLogProbs(logits, tokens, mask),
    laws: async () => (await import("./laws/lossNodeLaws.js")).logProbsNodeLaws(),
  }),
}
