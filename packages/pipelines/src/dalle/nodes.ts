/** The small nodes between models and losses: what draws noise, and what is reported. */
import { defineTensorNode, tensor } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"

const none = Schema.Struct({})
const pixels = tensor("float32", "b y x c", "[0,1]")
const logWidth = tensor("float32", "b y x c", "log-width")

/**
 * `uniform` numbers of [0, 1) -> standard Gumbel noise, −ln(−ln u). Drawn here and not beside the program, where the
 * logarithms of a step's numbers take longer than the step.
 */
export const gumbelNoise = defineTensorNode({
  type: "noise.gumbel",
  version: 1,
  source: "Jang et al. 2017, section 2.1",
  config: none,
  ports: () => ({ in: { uniform: tensor("float32", "b s k", "[0,1)") }, out: tensor("float32", "b s k", "gumbel") }),
  // Uniform numbers are multiples of 2⁻²⁴: half of one moves them off 0, where the noise is not finite; 1 is never reached.
  apply: (_, _params, { uniform }) => tf.neg(tf.log(tf.neg(tf.log(tf.maximum(uniform, 2 ** -25))))),
})

/**
 * `logWidth` of pixels -> the same, nowhere below the least. Where many pixels of all images are the same, as a drawn ground
 * is, their density grows without end, and with it their share of the gradient, until nothing else is learnt.
 */
export const leastWidth = defineTensorNode({
  type: "pixels.leastWidth",
  version: 1,
  config: Schema.Struct({ least: Schema.optionalKey(Schema.Finite) }),
  ports: () => ({ in: { logWidth }, out: logWidth }),
  apply: ({ least }, _params, { logWidth }) => (least === undefined ? logWidth : tf.maximum(logWidth, least)),
})

/** `image`, what it was `decoded` as -> the mean squared error of each image's numbers. */
export const squaredError = defineTensorNode({
  type: "metric.squaredError",
  version: 1,
  config: none,
  ports: () => ({ in: { image: pixels, decoded: pixels }, out: tensor("float32", "b", "squared") }),
  apply: (_, _params, { image, decoded }) => tf.mean(tf.squaredDifference(image, decoded), [1, 2, 3]),
})
