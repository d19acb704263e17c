import { GptConfig, gptLogits, gptParams, huggingFaceGpt2 } from "@millrace/models"
import { parityModel } from "./parity.js"

export const gptParity = parityModel({
  model: "GPT",
  paper: "Radford et al. 2019",
  figure: "section 2.3",
  file: "gpt.ts",
  fixtures: ["gpt2", "gpt2-one-head"],
  config: GptConfig,
  params: gptParams,
  table: () => huggingFaceGpt2,
  apply: (config, params, { tokens }) => ({ logits: gptLogits(config, params, tokens!) }),
})
