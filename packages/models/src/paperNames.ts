/** The names of the models of the papers, for those who do not need the models. */
export const paperNames = [
  "gpt",
  "reward",
  "value",
  "clip",
  "dvae-encoder",
  "dvae-decoder",
  "sparse",
  "prior",
  "autoregressive-prior",
  "decoder",
  "upsampler",
] as const
export type PaperName = (typeof paperNames)[number]

export const isPaperName = (name: string): name is PaperName => paperNames.some((one) => one === name)
