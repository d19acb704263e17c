/** What a policy over image codes is asked for: the probability of each code, and the value of the state before it. */
import { crossEntropy, defineTensorNode, linear, type ParamSpec, tensor, zeros } from "@millrace/core"
import {
  SparseConfig,
  type SparseInputs,
  type SparseParams,
  type SparseTree,
  sparseParams,
  sparseTrunk,
} from "@millrace/models"
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

/** A sparse transformer's parameters without those that nothing but its loss of text reads: they would have no gradient. */
const trunkParams = (config: SparseConfig) => {
  const { unembedding, ...trunk }: SparseTree<ParamSpec> = sparseParams(config)
  return { trunk, image: unembedding.image }
}

const inputs = { tokens: tensor("int32", "b t", "token"), mask: tensor("float32", "b t", "mask"), codes }

/** The residual stream before each code. b s d */
const before = (config: SparseConfig, trunk: Omit<SparseParams, "unembedding">, given: SparseInputs): tf.Tensor => {
  const { text, rows, columns, width } = config
  // The trunk ends before the unembedding, whatever stands there.
  const p = { ...trunk, unembedding: { text: trunk.text.token, image: trunk.image.token } }
  return tf.slice(sparseTrunk(config, p, given), [0, text - 1, 0], [-1, rows * columns, width])
}

const sizes = ({ text, rows, columns }: SparseConfig) => ({ t: text, s: rows * columns })

/** `tokens`, `mask`, `codes` -> logits of each code alone. */
export const codeLogits = defineTensorNode({
  type: "codes.logits",
  version: 1,
  source: "Ramesh et al. 2021, section 2.2",
  config: SparseConfig,
  ports: (config) => ({
    in: inputs,
    out: tensor("float32", "b s k", "logit"),
    sizes: { ...sizes(config), k: config.imageVocab },
  }),
  params: (config) => {
    const { trunk, image } = trunkParams(config)
    return { ...trunk, unembedding: { image } }
  },
  apply: (config, { unembedding, ...trunk }, given) => {
    const x = before(config, trunk, given) // b s d
    const [b = 0, s = 0, d = 0] = x.shape
    return tf.reshape(tf.matMul(tf.reshape(x, [b * s, d]), unembedding.image, false, true), [b, s, config.imageVocab])
  },
})

/** `tokens`, `mask`, `codes` -> of each code, what is to be expected before it is drawn. The head starts at zero. */
export const codeValues = defineTensorNode({
  type: "codes.values",
  version: 1,
  source: "Ouyang et al. 2022, appendix C.4, for a value model of its own",
  config: SparseConfig,
  ports: (config) => ({ in: inputs, out: tensor("float32", "b s", "value"), sizes: sizes(config) }),
  params: (config) => ({
    trunk: trunkParams(config).trunk,
    head: { weight: { shape: [config.width, 1], init: zeros }, bias: { shape: [1], init: zeros } },
  }),
  apply: (config, { trunk, head }, given) =>
    tf.squeeze(linear(before(config, trunk, given), head.weight, head.bias), [2]), // b s
})
