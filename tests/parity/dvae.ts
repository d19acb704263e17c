import {
  DvaeConfig,
  dvaeDecode,
  dvaeDecoderParams,
  dvaeEncode,
  dvaeEncoderParams,
  dvaeImage,
  dvaeLoss,
  gumbelSoftmax,
  logitLaplace,
  mapPixels,
  openaiDvaeDecoder,
  openaiDvaeEncoder,
  type RenameTable,
  uniformKl,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { parityModel } from "./parity.js"

const about = { paper: "Ramesh et al. 2021", file: "dvae.ts" }

export const dvaeEncoderParity = parityModel({
  ...about,
  model: "dVAE encoder",
  figure: "appendix A.1",
  fixtures: ["dvae-encoder", "dvae-encoder-one"],
  config: DvaeConfig,
  params: dvaeEncoderParams,
  table: () => openaiDvaeEncoder,
  apply: (config, params, { image }) => ({ logits: dvaeEncode(config, params, image!) }),
})

export const dvaeDecoderParity = parityModel({
  ...about,
  model: "dVAE decoder",
  figure: "appendix A.1",
  fixtures: ["dvae-decoder", "dvae-decoder-one"],
  config: DvaeConfig,
  params: dvaeDecoderParams,
  table: () => openaiDvaeDecoder,
  apply: (config, params, { relaxed }) => {
    const stats = dvaeDecode(config, params, relaxed!)
    return { ...stats, image: dvaeImage(stats) }
  },
})

/** The two tables side by side, each under the name of its half. */
const halves: RenameTable = {
  name: "dall_e Encoder and Decoder",
  renames: [openaiDvaeEncoder, openaiDvaeDecoder].flatMap(({ renames }, i) =>
    renames.map((rename) => ({
      ...rename,
      ours: `${i === 0 ? "encoder" : "decoder"}.${rename.ours}`,
      theirs: `${i === 0 ? "encoder" : "decoder"}.${rename.theirs}`,
    })),
  ),
}

export const dvaeBoundParity = parityModel({
  ...about,
  model: "dVAE evidence bound",
  figure: "equations 1 and 2",
  fixtures: ["dvae-bound"],
  config: Schema.Struct({ ...DvaeConfig.fields, temperature: Schema.Number, beta: Schema.Number }),
  params: (config) => ({ encoder: dvaeEncoderParams(config), decoder: dvaeDecoderParams(config) }),
  table: () => halves,
  apply: (config, params, inputs) => {
    const image = inputs.image!
    const logits = dvaeEncode(config, params.encoder, image)
    const noise = tf.reshape(inputs.noise!, logits.shape)
    const relaxed = gumbelSoftmax(logits, noise, config.temperature)
    const { mean, logWidth } = dvaeDecode(config, params.decoder, relaxed)
    return {
      relaxed,
      surprise: logitLaplace(mapPixels(image), mean, logWidth),
      divergence: uniformKl(logits),
      ...dvaeLoss({ image, mean, logWidth, logits }, config.beta),
    }
  },
})
