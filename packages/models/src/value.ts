/**
 * Value model: a GPT trunk and a scalar head, read at every position.
 *   tokens -> trunk -> linear d to 1 -> value of each position
 * Source   Head starts at zero as in openai/lm-human-preferences; Ouyang et al. 2022, section C.4 start the whole model
 *          from the reward model: `fromScalar`.
 * Axes     b batch, t position, d width
 */
import { defineTensorNode, type ParamSpec, tensor, zeros } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { GptConfig, real } from "./gpt.js"
import { type ScalarParams, type ScalarTree, scalars, trunkParams } from "./reward.js"

/** Parameters of a value model: those of a reward model, with a head that starts at zero. */
export const valueParams = (config: GptConfig): ScalarTree<ParamSpec> => ({
  trunk: trunkParams(config),
  head: { weight: { shape: [config.width, 1], init: zeros }, bias: { shape: [1], init: zeros } },
})

/**
 * The value of each position: what is expected to come after its token.
 * @param tokens  int32    b t
 * @param mask    real tokens  bool, int32 or float32  b t
 * @returns       float32  b t    0 at padding
 */
export const values = (config: GptConfig, p: ScalarParams, tokens: tf.Tensor, mask?: tf.Tensor): tf.Tensor => {
  const all = scalars(config, p, tokens, mask) // b t
  return mask === undefined ? all : tf.where(real(mask), all, tf.zerosLike(all))
}

/** Nodes of a value model. */
export const value = {
  /** `tokens`, `mask` -> the value of each position. */
  values: defineTensorNode({
    type: "value.values",
    version: 1,
    source: "Ouyang et al. 2022, section C.4",
    config: GptConfig,
    ports: () => ({
      in: { tokens: tensor("int32", "b t", "token"), mask: tensor("float32", "b t", "mask") },
      out: tensor("float32", "b t", "value"),
    }),
    params: valueParams,
    apply: (config, p, { tokens, mask }) => values(config, p, tokens, mask),
    laws: async (config) => (await import("./laws/modelNodeLaws.js")).maskedGptNodeLaws(config),
  }),
}
