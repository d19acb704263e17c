import { linear, softmax } from "@millrace/core"
import { attentionPool, halve } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { attentionPoolLaws, type Halve, halveLaws, type Pool } from "./clipPoolLaws.js"
import { verify } from "./law.js"
import { refuse } from "./refuse.js"

verify("attentionPool", attentionPoolLaws(attentionPool))
verify("halve", halveLaws(halve))

/** One head, with its steps open to mistakes. */
const pool =
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

verify("the pool that the wrong ones vary", attentionPoolLaws(pool({})))

refuse<Pool>("attentionPool", attentionPoolLaws, [
  [
    "that asks with the first place",
    pool({ first: (places) => tf.slice(places, [0, 0, 0], [1, 1, -1]) }),
    "without positions, the order of the places is irrelevant",
  ],
  [
    "whose weights do not sum to 1",
    pool({ weigh: tf.sigmoid }),
    "an image of one colour gives that colour's projections, whatever queries and keys are",
  ],
  [
    "whose mean is not seen",
    pool({ meanSeen: false }),
    "where keys say nothing, it is the mean of the projections of all places and of their mean",
  ],
  [
    "that is the mean of all places' answers",
    pool({ asks: (tokens) => tokens }),
    "the mean of the places alone asks: another place's query changes nothing",
  ],
  [
    "that does not divide scores by √e",
    pool({ weigh: (scores) => softmax(tf.mul(scores, 3)) }),
    "it has the value of the float64 reference",
  ],
])

refuse<Halve>("halve", halveLaws, [
  [
    "that drops every second pixel",
    (x) => tf.stridedSlice(x, [0, 0, 0, 0], [1, x.shape[1]!, x.shape[2]!, x.shape[3]!], [1, 2, 2, 1]),
    "a pattern as fine as two pixels vanishes",
  ],
  [
    "that keeps the largest pixel",
    (x) => tf.maxPool(x as tf.Tensor4D, 2, 2, "valid"),
    "a pattern as fine as two pixels vanishes",
  ],
  ["that adds pixels", (x) => tf.mul(halve(x), 4), "a constant stays as it is"],
  [
    "that blurs over zeros around the image",
    (x) => {
      const wide = tf.pad(x, [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ])
      return tf.avgPool(wide as tf.Tensor4D, 4, 2, "valid")
    },
    "a constant stays as it is",
  ],
  [
    "that stretches corners to corners",
    (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [x.shape[1]! / 2, x.shape[2]! / 2], true),
    "moving by two pixels moves what comes out by one",
  ],
])
