/** The small nodes between models and losses: what aligns states with tokens, and what is reported. */
import { defineTensorNode, tensor } from "@millrace/core"
import { rankingAccuracy, sftLoss } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"

const none = Schema.Struct({})
const tokens = tensor("int32", "b t", "token")
const mask = tensor("float32", "b t", "mask")
const values = tensor("float32", "b t", "value")
const nats = tensor("float32", "", "nat")

/** Moved by one position to the right, 0 coming in: what was at t is at t + 1. float32 b t */
const delayed = (x: tf.Tensor): tf.Tensor => {
  const [b = 0, t = 0] = x.shape
  return tf.concat([tf.zeros([b, 1]), tf.slice(x, [0, 0], [b, t - 1])], 1)
}

/** Moved by one position to the left, 0 coming in: what was at t + 1 is at t. float32 b t */
const advanced = (x: tf.Tensor): tf.Tensor => {
  const [b = 0, t = 0] = x.shape
  return tf.concat([tf.slice(x, [0, 1], [b, t - 1]), tf.zeros([b, 1])], 1)
}

/** `logits`, `tokens` -> the loss of predicting every token but the first; nothing is masked. */
export const textLoss = defineTensorNode({
  type: "loss.text",
  version: 1,
  source: "Radford et al. 2019, section 2",
  config: none,
  ports: () => ({ in: { logits: tensor("float32", "b t v", "logit"), tokens }, out: nats }),
  apply: (_, _params, { logits, tokens }) => sftLoss(logits, tokens, undefined, { normaliser: "token-mean" }),
})

/** Values after each token -> values of the states before each token, which its action is judged by. */
export const valueBefore = defineTensorNode({
  type: "value.before",
  version: 1,
  config: none,
  ports: () => ({ in: { values }, out: values }),
  apply: (_, _params, { values }) => delayed(values),
})

/** A mask of tokens -> a mask of the positions whose logits predict them. */
export const predictors = defineTensorNode({
  type: "mask.predictors",
  version: 1,
  config: none,
  ports: () => ({ in: { mask }, out: mask }),
  apply: (_, _params, { mask }) => advanced(mask),
})

/** A number a token -> its sum over each sequence. */
export const sequenceSum = defineTensorNode({
  type: "sequence.sum",
  version: 1,
  config: none,
  ports: () => ({ in: { x: tensor("float32", "b t", "nat") }, out: tensor("float32", "b", "nat") }),
  apply: (_, _params, { x }) => tf.sum(x, 1),
})

/** `rewards`, `preference`, `mask` -> the share of pairs that the rewards order as the labeler did. */
export const rankedRight = defineTensorNode({
  type: "metric.rankingAccuracy",
  version: 1,
  source: "Ouyang et al. 2022, appendix E.2",
  config: none,
  ports: () => ({
    in: {
      rewards: tensor("float32", "b k", "reward"),
      preference: tensor("float32", "b k", "preference"),
      mask: tensor("float32", "b k", "mask"),
    },
    out: tensor("float32", "", "[0,1]"),
  }),
  apply: (_, _params, { rewards, preference, mask }) => rankingAccuracy(rewards, preference, mask),
})
