import { linear, softmax } from "@millrace/core"
import { attentionPool, halve } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { attentionPoolLaws, type Halve, halveLaws, type Pool } from "../clipPoolLaws.js"
import { mutantSet } from "./mutantSet.js"

/** One head, with its steps open to mistakes. */
export const pool =
  ({
    first = (places: tf.Tensor) => tf.mean(places, 1, true),
    asks = (tokens: tf.Tensor) => tf.slice(tokens, [0, 0, 0], [1, 1, -1]),
    weigh = softmax,
    meanSeen = true,
  }): Pool =>
  (p, x, heads) => {
    const [, y = 0, width = 0, c = 0] = x.shape
    const places = tf.reshape(x, [1, y * width, c])
    const tokens = tf.add(tf.concat([first(places), places], 1), p.position)
    const seen = meanSeen ? tokens : tf.slice(tokens, [0, 1, 0], [1, y * width, c])
    const part = (z: tf.Tensor): tf.Tensor => tf.transpose(tf.reshape(z, [z.shape[1]!, heads, c / heads]), [1, 0, 2])
    const q = part(linear(asks(tokens), p.query.weight, p.query.bias))
    const k = part(linear(seen, p.key.weight, p.key.bias))
    const v = part(linear(seen, p.value.weight, p.value.bias))
    const weights = weigh(tf.div(tf.matMul(q, k, false, true), Math.sqrt(c / heads)))
    const answers = tf.reshape(tf.transpose(tf.matMul(weights, v), [1, 0, 2]), [-1, c])
    return tf.mean(linear(answers, p.out.weight, p.out.bias), 0, true)
  }

export const attentionPoolMutants = mutantSet<Pool>({
  subject: "attention pool",
  laws: attentionPoolLaws,
  real: attentionPool,
  runs: 8,
  mutants: {
    "that asks with the first place": pool({ first: (places) => tf.slice(places, [0, 0, 0], [1, 1, -1]) }),
    "whose weights do not sum to 1": pool({ weigh: tf.sigmoid }),
    "whose mean is not seen": pool({ meanSeen: false }),
    "that is the mean of all places' answers": pool({ asks: (tokens) => tokens }),
    "that does not divide scores by √e": pool({ weigh: (scores) => softmax(tf.mul(scores, 3)) }),
  },
})

export const halveMutants = mutantSet<Halve>({
  subject: "blurred halving",
  laws: halveLaws,
  real: halve,
  mutants: {
    "that drops every second pixel": (x) =>
      tf.stridedSlice(x, [0, 0, 0, 0], [1, x.shape[1]!, x.shape[2]!, x.shape[3]!], [1, 2, 2, 1]),
    "that keeps the largest pixel": (x) => tf.maxPool(x as tf.Tensor4D, 2, 2, "valid"),
    "that adds pixels": (x) => tf.mul(halve(x), 4),
    "that blurs over zeros around the image": (x) => {
      const wide = tf.pad(x, [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ])
      return tf.avgPool(wide as tf.Tensor4D, 4, 2, "valid")
    },
    "that stretches corners to corners": (x) =>
      tf.image.resizeBilinear(x as tf.Tensor4D, [x.shape[1]! / 2, x.shape[2]! / 2], true),
  },
})
