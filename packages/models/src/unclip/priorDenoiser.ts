import { type Denoiser, denoiserOf } from "../diffusion/denoiser.js"
import { captionSpecs } from "./captions.js"
import { type PriorConfig, prior } from "./prior.js"

/** A prior as a denoiser of embeddings. Its conditions are `textEmbedding`, `text`, `mask` and `kept`. */
export const priorDenoiser = (config: PriorConfig): Denoiser => {
  const node = "vocab" in config.text ? prior.predict(config) : prior.predictEncoded(config)
  const rows = Object.entries(captionSpecs(config)).map(([name, { shape }]) => [name, shape] as const)
  return denoiserOf(node, {
    noisy: "noised",
    time: "time",
    conditioning: { ...Object.fromEntries(rows), kept: [] },
  })
}
