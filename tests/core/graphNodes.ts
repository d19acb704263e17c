/** Small node types that the tests of graphs share. */
import { artifact, artifactKind, defineStageNode, defineTensorNode, ones, registry, tensor } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Schema } from "effect"

const Width = Schema.Struct({ width: Schema.Int })
const bd = tensor("float32", "b d")

export const scale = defineTensorNode({
  type: "test.scale",
  version: 1,
  config: Schema.Struct({ factor: Schema.Number }),
  ports: () => ({ in: { x: bd }, out: bd }),
  apply: ({ factor }, _, { x }) => tf.mul(x, factor),
})

export const add = defineTensorNode({
  type: "test.add",
  version: 1,
  config: Schema.Struct({}),
  ports: () => ({ in: { a: bd, b: bd }, out: bd }),
  apply: (_config, _params, { a, b }) => tf.add(a, b),
})

export const bias = defineTensorNode({
  type: "test.bias",
  version: 1,
  config: Width,
  ports: ({ width }) => ({ in: { x: bd }, out: bd, sizes: { d: width } }),
  params: ({ width }) => ({
    gain: { shape: [width], init: ones },
    inner: [{ bias: { shape: [width], init: { kind: "normal", std: 1 } } }],
  }),
  apply: (_, { gain, inner }, { x }) => tf.add(tf.mul(x, gain), inner[0]!.bias),
})

export const extremes = defineTensorNode({
  type: "test.extremes",
  version: 2,
  config: Schema.Struct({}),
  ports: () => ({ in: { x: bd }, out: { low: bd, high: bd } }),
  apply: (_config, _params, { x }) => ({ low: tf.minimum(x, 0), high: tf.maximum(x, 0) }),
})

export const constant = defineTensorNode({
  type: "test.constant",
  version: 1,
  config: Schema.Struct({}),
  ports: () => ({ in: {}, out: bd, sizes: { b: 1, d: 1 } }),
  apply: () => tf.ones([1, 1]),
})

export const loss = defineTensorNode({
  type: "test.loss",
  version: 1,
  source: "A mean of squares",
  config: Schema.Struct({}),
  ports: () => ({ in: { x: bd }, out: tensor("float32", "") }),
  apply: (_config, _params, { x }) => tf.mean(tf.square(x)),
})

export const heads = defineTensorNode({
  type: "test.heads",
  version: 1,
  config: Schema.Struct({ heads: Schema.Int, width: Schema.Int }),
  ports: ({ heads: h, width: e }) => ({ in: { x: bd }, out: tensor("float32", "b (h e)"), sizes: { h, e } }),
  apply: (_config, _params, { x }) => x,
})

export const merge = defineTensorNode({
  type: "test.merge",
  version: 1,
  config: Schema.Struct({ heads: Schema.Int }),
  ports: ({ heads: h }) => ({ in: { x: tensor("float32", "b (h e)") }, out: tensor("float32", "b e"), sizes: { h } }),
  apply: ({ heads: h }, _, { x }) => tf.mean(tf.reshape(x, [x.shape[0]!, h, -1]), 1),
})

export const text = artifactKind("text", (value: string) => ({ "text.txt": new TextEncoder().encode(value) }))

export const shout = defineStageNode({
  type: "test.shout",
  version: 1,
  config: Schema.Struct({ times: Schema.Int }),
  ports: { in: { text: artifact(text) }, out: artifact(text) },
  run: ({ times }, inputs) => Effect.succeed(inputs.text.toUpperCase() + "!".repeat(times)),
})

export const types = registry([scale, add, bias, constant, extremes, loss, heads, merge, shout])
