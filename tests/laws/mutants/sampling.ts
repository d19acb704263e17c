import { transformLogits } from "@millrace/models"
import { type Sampling, samplingLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

const keep = (kept: tf.Tensor, x: tf.Tensor): tf.Tensor => tf.where(kept, x, tf.fill(x.shape, -1e9))

export const samplingMutants = mutantSet<Sampling>({
  subject: "temperature, top-k and top-p",
  laws: samplingLaws,
  real: transformLogits,
  mutants: {
    "that multiplies by its temperature": (x, how) =>
      transformLogits(x, how.temperature ? { ...how, temperature: 1 / how.temperature } : how),
    "that takes the last of equals at temperature 0": (x, how) =>
      how.temperature === 0 ? tf.reverse(transformLogits(tf.reverse(x, 1), how), 1) : transformLogits(x, how),
    "that keeps one token less than k": (x, how) =>
      transformLogits(x, how.topK === undefined ? how : { ...how, topK: Math.max(1, how.topK - 1) }),
    "that drops the tokens as probable as the last that it keeps": (x, { topK, ...how }) => {
      const out = transformLogits(x, how)
      if (topK === undefined || topK >= x.shape[1]!) return out
      const rank = tf.sum(tf.oneHot(tf.cast(tf.topk(x, topK).indices, "int32"), x.shape[1]!), 1)
      return keep(tf.greater(rank, 0), out)
    },
    "that drops the token that crosses p": (x, { topP, ...how }) => {
      const out = transformLogits(x, how)
      if (topP === undefined) return out
      const p = tf.softmax(out)
      const falling = tf.topk(p, p.shape[1]!).values
      const least = tf.min(tf.where(tf.lessEqual(tf.cumsum(falling, 1), topP), falling, tf.onesLike(falling)), 1, true)
      return keep(tf.greaterEqual(p, least), out)
    },
    "that keeps every token above 1 − p": (x, { topP, ...how }) => {
      const out = transformLogits(x, how)
      return topP === undefined ? out : keep(tf.greaterEqual(tf.softmax(out), 1 - topP), out)
    },
    "that keeps an odd number of tokens alone": (x, how) =>
      transformLogits(x, how.topK === undefined ? how : { ...how, topK: how.topK + 1 - 2 * (how.topK % 2) || 1 }),
    "that normalises first": (x, how) => tf.softmax(transformLogits(x, how)),
    "that centres the logits": (x, how) => transformLogits(tf.sub(x, tf.mean(x)), how),
    "that filters what is below 0": (x, how) => keep(tf.greaterEqual(x, 0), transformLogits(x, how)),
    "that turns p round": (x, how) =>
      transformLogits(x, how.topP === undefined ? how : { ...how, topP: 1.02 - how.topP }),
  },
})
