/**
 * A small convolutional network that tells facts of images: what a judge is.
 *   image -> [ relu(norm conv) ] of each width, halved from the second on -> flat -> relu linear -> logits of every fact
 * Source   none: as plain as can be, and unlike the encoders that it judges.
 * Axes     b batch, y x image row and column, c channels, v values of all facts, one fact after the other
 */
import {
  crossEntropy,
  defineTensorNode,
  groupNorm,
  linear,
  normal,
  ones,
  tensor,
  withPath,
  zeros,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { Count } from "../ranges.js"

/** - `values` of each fact, in an order that the caller keeps. */
export const JudgeConfig = Schema.Struct({
  /** Pixels of an image's side. */
  size: Count,
  /** Channels of each convolution. */
  widths: Schema.Array(Count),
  /** Of the layer between the image and the facts. */
  hidden: Count,
  values: Schema.Array(Count),
})
export type JudgeConfig = typeof JudgeConfig.Type

const total = ({ values }: JudgeConfig): number => values.reduce((sum, n) => sum + n, 0)

const flatSize = ({ size, widths }: JudgeConfig): number => {
  const side = widths.slice(1).reduce((n) => Math.ceil(n / 2), size)
  return side * side * (widths.at(-1) ?? 3)
}

/** Parameters of a judge, as specs. */
export const judgeParams = (config: JudgeConfig) => {
  const { widths, hidden } = config
  const weight = (inputs: number, shape: ReadonlyArray<number>) => ({ shape, init: normal(Math.sqrt(2 / inputs)) })
  return {
    convs: widths.map((width, i) => {
      const inputs = widths[i - 1] ?? 3
      return {
        weight: weight(9 * inputs, [3, 3, inputs, width]),
        gain: { shape: [width], init: ones },
        bias: { shape: [width], init: zeros },
      }
    }),
    hidden: { weight: weight(flatSize(config), [flatSize(config), hidden]), bias: { shape: [hidden], init: zeros } },
    output: { weight: weight(hidden, [hidden, total(config)]), bias: { shape: [total(config)], init: zeros } },
  }
}

const image = tensor("float32", "b y x c", "[0,1]")
const logits = tensor("float32", "b v", "logit")
const truth = tensor("int32", "b n", "class")

/** Logits of each fact alone. */
const parts = (values: ReadonlyArray<number>, x: tf.Tensor): ReadonlyArray<tf.Tensor> => tf.split(x, [...values], 1)

export const judge = {
  /** `image` -> logits of the values of every fact. */
  logits: defineTensorNode({
    type: "judge.logits",
    version: 1,
    config: JudgeConfig,
    ports: (config) => ({
      in: { image },
      out: logits,
      sizes: { y: config.size, x: config.size, c: 3, v: total(config) },
    }),
    params: judgeParams,
    apply: (config, p, { image }) => {
      let x: tf.Tensor = image
      for (const [i, { weight, gain, bias }] of p.convs.entries()) {
        const stride = i === 0 ? 1 : 2
        x = withPath(`convs.${i}`, () => {
          const y = tf.conv2d(x as tf.Tensor4D, weight as tf.Tensor4D, stride, "same")
          return tf.relu(groupNorm(y, gain as tf.Tensor1D, bias as tf.Tensor1D, 1, 1e-5)) // b y x c
        })
      }
      const flat = tf.reshape(x, [-1, flatSize(config)])
      const hidden = tf.relu(linear(flat, p.hidden.weight, p.hidden.bias))
      return linear(hidden, p.output.weight, p.output.bias) // b v
    },
  }),
  /** `logits`, the `truth` of each fact -> the mean cross-entropy of a fact, and how often all facts are right. */
  loss: defineTensorNode({
    type: "judge.loss",
    version: 1,
    config: Schema.Struct({ values: Schema.Array(Count) }),
    ports: ({ values }) => ({
      in: { logits, truth },
      out: { loss: tensor("float32", "", "nat"), accuracy: tensor("float32", "", "[0,1]") },
      sizes: { n: values.length },
    }),
    apply: ({ values }, _, { logits, truth }) => {
      const truths = tf.unstack(truth, 1)
      const facts = parts(values, logits)
      const losses = facts.map((fact, i) => tf.mean(crossEntropy(fact, truths[i]!)))
      const right = facts.map((fact, i) => tf.cast(tf.equal(tf.argMax(fact, 1), truths[i]!), "float32"))
      return {
        loss: tf.div(tf.addN(losses), values.length),
        accuracy: tf.mean(right.reduce((all, one) => tf.mul(all, one))),
      }
    },
  }),
  /** `logits` -> the most probable value of each fact. */
  verdict: defineTensorNode({
    type: "judge.verdict",
    version: 1,
    config: Schema.Struct({ values: Schema.Array(Count) }),
    ports: ({ values }) => ({ in: { logits }, out: truth, sizes: { n: values.length } }),
    apply: ({ values }, _, { logits }) =>
      tf.stack(
        parts(values, logits).map((fact) => tf.argMax(fact, 1)),
        1,
      ),
  }),
}
