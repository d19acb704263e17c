import { diffusersPrior, PriorConfig, priorEmbedding, priorParams } from "@millrace/models"
import { parityModel } from "./parity.js"

export const priorParity = parityModel({
  model: "diffusion prior",
  paper: "Ramesh et al. 2022",
  figure: "section 2.2",
  file: "unclip/prior.ts",
  fixtures: ["prior", "prior-one-head"],
  config: PriorConfig,
  params: priorParams,
  table: () => diffusersPrior,
  apply: (config, params, { noised, time, textEmbedding, text, mask }) => ({
    embedding: priorEmbedding(config, params, {
      noised: noised!,
      time: time!,
      textEmbedding: textEmbedding!,
      text: text!,
      mask: mask!,
    }),
  }),
})
