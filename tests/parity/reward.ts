import {
  GptConfig,
  huggingFaceGpt2,
  type RenameTable,
  rewardParams,
  rewardScore,
  type ScalarParams,
  valueParams,
  values,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { parityModel } from "./parity.js"

/** A trunk and a head; the classifier of transformers has no bias. */
const table = (bias: boolean): RenameTable => ({
  name: "transformers GPT-2 with a head",
  renames: [
    { ours: "head.weight", theirs: "score.weight", axes: "o i -> i o" },
    ...(bias ? [{ ours: "head.bias", theirs: "score.bias" }] : []),
    ...huggingFaceGpt2.renames.map(({ ours, ...rest }) => ({ ...rest, ours: `trunk.${ours}` })),
  ],
})

export const rewardParity = parityModel({
  model: "reward model",
  paper: "Ouyang et al. 2022",
  figure: "section 3.5",
  file: "reward.ts",
  fixtures: ["reward"],
  config: GptConfig,
  params: (config) => {
    const { trunk, head } = rewardParams(config)
    return { trunk, head: { weight: head.weight } }
  },
  table: () => table(false),
  apply: (config, { trunk, head }, { tokens, mask }) => {
    const bias = tf.zeros([1])
    return { reward: rewardScore(config, { trunk, head: { ...head, bias } } as ScalarParams, tokens!, mask!) }
  },
})

export const valueParity = parityModel({
  model: "value model",
  paper: "Ouyang et al. 2022",
  figure: "appendix C.4",
  file: "value.ts",
  fixtures: ["value"],
  config: GptConfig,
  params: valueParams,
  table: () => table(true),
  apply: (config, p, { tokens }) => ({ values: values(config, p, tokens!) }),
})
