import {
  DecoderConfig,
  decoderConditions,
  decoderParams,
  decoderText,
  diffusersUnclip,
  glideDecoder,
  noiseAndVariance,
  unetPredict,
} from "@millrace/models"
import { parityModel } from "./parity.js"

/** Karlo's: the text is CLIP's. */
export const karloParity = parityModel({
  model: "Karlo decoder",
  paper: "Ramesh et al. 2022",
  figure: "section 2.1",
  file: "decoder.ts",
  fixtures: ["karlo", "karlo-one-head"],
  config: DecoderConfig,
  params: decoderParams,
  table: diffusersUnclip,
  apply: (config, params, { image, time, sequence, mask, pooled, embedding, keepEmbedding }) => {
    const text = { sequence: sequence!, pooled: pooled!, mask: mask! }
    const told = decoderConditions(config, params, text, { embedding: embedding!, keep: keepEmbedding! })
    return { ...noiseAndVariance(unetPredict(config.unet, params.unet, image!, time!, told)) }
  },
})

/** GLIDE and unCLIP: the text has an encoder of its own. */
export const glideParity = parityModel({
  model: "GLIDE and unCLIP decoder",
  paper: "Nichol et al. 2021; Ramesh et al. 2022",
  figure: "section 4.1; section 2.1",
  file: "decoder.ts",
  fixtures: ["glide", "unclip", "unclip-one-head"],
  config: DecoderConfig,
  params: decoderParams,
  table: glideDecoder,
  apply: (config, params, { image, time, tokens, mask, keepCaption, embedding, keepEmbedding }) => {
    if (config.text.kind !== "encoder") throw new Error("the fixture has no text encoder")
    const caption = { tokens: tokens!, mask: mask!, keep: keepCaption! }
    const text = decoderText(config.text.encoder, params.text.encoder!, caption)
    const given = config.image === undefined ? undefined : { embedding: embedding!, keep: keepEmbedding! }
    const told = decoderConditions(config, params, text, given)
    return { ...noiseAndVariance(unetPredict(config.unet, params.unet, image!, time!, told)) }
  },
})
