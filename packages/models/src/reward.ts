/**
 * Reward model: a GPT trunk and a scalar head, read at the last real token.
 *   tokens -> trunk -> linear d to 1 -> score at the last real token
 * Source   Ouyang et al. 2022, section 3.5: the final unembedding layer removed, a scalar projection in its place.
 *          Head: openai/lm-human-preferences, N(0, 1/√(d + 1)).
 * Axes     b batch, t position, k candidates, d width
 */
import {
  defineTensorNode,
  float32,
  type HostTensor,
  type HostTensors,
  linear,
  normal,
  type ParamSpec,
  tensor,
  withPath,
  zeros,
} from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { GptConfig, type GptTree, gptParams, gptTrunk, real } from "./gpt.js"

// --- parameters

/** A trunk with one number a position: the tree of reward models and of value models. */
export type ScalarTree<Leaf> = {
  readonly trunk: GptTree<Leaf>
  readonly head: { readonly weight: Leaf; readonly bias: Leaf }
}
export type ScalarParams = ScalarTree<tf.Tensor>

/** A GPT without an unembedding of its own. */
export const trunkParams = (config: GptConfig): GptTree<ParamSpec> => gptParams({ ...config, tied: true })

/** Parameters of a reward model. The head's bias takes no part in comparisons; it is there to normalise. */
export const rewardParams = (config: GptConfig): ScalarTree<ParamSpec> => ({
  trunk: trunkParams(config),
  head: {
    weight: { shape: [config.width, 1], init: normal(1 / Math.sqrt(config.width + 1)) },
    bias: { shape: [1], init: zeros },
  },
})

// --- forward

/** The head's number at each position. float32 b t */
export const scalars = (config: GptConfig, p: ScalarParams, tokens: tf.Tensor, mask?: tf.Tensor): tf.Tensor => {
  const x = withPath("trunk", () => gptTrunk(config, p.trunk, tokens, mask === undefined ? {} : { mask })) // b t d
  return withPath("head", () => tf.reshape(linear(x, p.head.weight, p.head.bias), tokens.shape)) // b t
}

/**
 * One score a text.
 * @param tokens  int32    b t    one text a row, padded on either side
 * @param mask    real tokens  bool, int32 or float32  b t; without it every token is real
 * @returns       float32  b      the head at the last real token; 0 for a row that has none
 * @law           padding changes no score
 */
export const rewardScore = (config: GptConfig, p: ScalarParams, tokens: tf.Tensor, mask?: tf.Tensor): tf.Tensor => {
  const [b = 0, t = 0] = tokens.shape
  const all = scalars(config, p, tokens, mask) // b t
  if (mask === undefined) return tf.reshape(tf.slice(all, [0, t - 1], [b, 1]), [b])
  const kept = real(mask)
  const after = tf.cumsum(tf.cast(kept, "int32"), 1, true, true) // b t   real tokens after each
  const last = tf.logicalAnd(kept, tf.equal(after, tf.scalar(0, "int32")))
  return tf.sum(tf.where(last, all, tf.zerosLike(all)), 1) // b
}

// --- normalisation

/**
 * Which shift and scale make scores comparable between models.
 *
 *   bias       the mean score of demonstrations becomes 0 (Ouyang et al. 2022, section C.2)
 *   gain+bias  mean and standard deviation become `target`'s (openai/lm-human-preferences, on samples of the policy)
 */
export type RewardNormalisation =
  | { readonly kind: "bias" }
  | { readonly kind: "gain+bias"; readonly target: { readonly mean: number; readonly std: number } }

/**
 * The head that gives normalised scores, from the scores that the present one gave: gain and bias are folded into it.
 * @param prefix  of the head's names: `score.` for `score.head.weight`
 * @param scores  of the demonstrations, or of the policy's samples
 * @returns       the two parameters of the head, under their names
 */
export const normalisedHead = (
  values: HostTensors,
  prefix: string,
  scores: ReadonlyArray<number>,
  how: RewardNormalisation,
): HostTensors => {
  const n = Math.max(1, scores.length)
  const mean = scores.reduce((sum, score) => sum + score, 0) / n
  const std = Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / n)
  const [weight, bias] = [`${prefix}head.weight`, `${prefix}head.bias`]
  // All scores alike say nothing about the scale.
  const gain = how.kind === "bias" || std === 0 ? 1 : how.target.std / std
  const shift = (how.kind === "bias" ? 0 : how.target.mean) - gain * mean
  const affine = (tensor: HostTensor | undefined, add: number): HostTensor =>
    float32(
      tensor?.shape ?? [],
      Array.from(tensor?.data ?? [], (v) => v * gain + add),
    )
  return { [weight]: affine(values[weight], 0), [bias]: affine(values[bias], shift) }
}

// --- nodes

const source = "Ouyang et al. 2022, section 3.5"

/** Nodes of a reward model. */
export const reward = {
  /** `tokens`, `mask` -> one score a text. */
  score: defineTensorNode({
    type: "reward.score",
    version: 1,
    source,
    config: GptConfig,
    ports: () => ({
      in: { tokens: tensor("int32", "b t", "token"), mask: tensor("float32", "b t", "mask") },
      out: tensor("float32", "b", "reward"),
    }),
    params: rewardParams,
    apply: (config, p, { tokens, mask }) => rewardScore(config, p, tokens, mask),
    laws: async (config) => (await import("./laws/modelNodeLaws.js")).scoreNodeLaws(config),
  }),
  /** `tokens`, `mask` -> one score a candidate: k candidates for each of b prompts, in one batch. */
  scores: defineTensorNode({
    type: "reward.scores",
    version: 1,
    source,
    config: GptConfig,
    ports: () => ({
      in: { tokens: tensor("int32", "b k t", "token"), mask: tensor("float32", "b k t", "mask") },
      out: tensor("float32", "b k", "reward"),
    }),
    params: rewardParams,
    apply: (config, p, { tokens, mask }) => {
      const [b = 0, k = 0, t = 0] = tokens.shape
      const flat = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [b * k, t])
      return tf.reshape(rewardScore(config, p, flat(tokens), flat(mask)), [b, k]) // b k
    },
    laws: async (config) => (await import("./laws/modelNodeLaws.js")).scoreNodeLaws(config),
  }),
}
