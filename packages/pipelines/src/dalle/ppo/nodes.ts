/** What a policy over image codes is asked for: the probability of each code, and the value of the state before it. */
import { crossEntropy, defineTensorNode, linear, type ParamSpec, tensor, zeros } from "@millrace/core"
import { SparseConfig, type SparseTree, sparseParams, sparseTrunk } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"

const codes = tensor("int32", "b s", "code")

/** `logits` of each code, `codes` -> ln of the probability of each. */
export const codeLogProbs = defineTensorNode({
  type: "codes.logProbs",
  version: 1,
  config: Schema.Struct({}),
  ports: () => ({
    in: { logits: tensor("float32", "b s k", "logit"), codes },
    out: tensor("float32", "b s", "log-prob"),
  }),
  apply: (_, _params, { logits, codes }) => tf.neg(crossEntropy(logits, codes)),
})

/** `tokens`, `mask`, `codes` -> of each code, what is to be expected before it is drawn. The head starts at zero. */
export const codeValues = defineTensorNode({
  type: "codes.values",
  version: 1,
  source: "Ouyang et al. 2022, appendix C.4, for a value model of its own",
  config: SparseConfig,
  ports: ({ text, rows, columns }) => ({
    in: { tokens: tensor("int32", "b t", "token"), mask: tensor("float32", "b t", "mask"), codes },
    out: tensor("float32", "b s", "value"),
    sizes: { t: text, s: rows * columns },
  }),
  params: (config) => {
    const { unembedding: _, ...trunk }: SparseTree<ParamSpec> = sparseParams(config)
    return { trunk, head: { weight: { shape: [config.width, 1], init: zeros }, bias: { shape: [1], init: zeros } } }
  },
  apply: (config, { trunk, head }, inputs) => {
    const { text, rows, columns, width } = config
    // The trunk ends before the unembedding, which a value model has none of.
    const p = { ...trunk, unembedding: { text: trunk.text.token, image: trunk.image.token } }
    const x = sparseTrunk(config, p, inputs) // b (t + s) d
    const before = tf.slice(x, [0, text - 1, 0], [-1, rows * columns, width]) // b s d
    return tf.squeeze(linear(before, head.weight, head.bias), [2]) // b s
  },
})
