import {
  diffusersUnet,
  UnetConfig,
  UpsamplerConfig,
  unetParams,
  unetPredict,
  upsamplerParams,
  upsamplerPredict,
} from "@millrace/models"
import { parityModel } from "./parity.js"

export const unetParity = parityModel({
  model: "Diffusion U-Net",
  paper: "Dhariwal and Nichol 2021",
  figure: "section 3",
  file: "unet.ts",
  fixtures: ["unet-adm", "unet-one-head"],
  config: UnetConfig,
  params: unetParams,
  table: diffusersUnet,
  apply: (config, params, { image, time }) => ({ predicted: unetPredict(config, params, image!, time!) }),
})

export const upsamplerParity = parityModel({
  model: "unCLIP upsampler",
  paper: "Ramesh et al. 2022",
  figure: "table 3",
  file: "upsampler.ts",
  fixtures: ["upsampler-bilinear", "upsampler-bicubic"],
  config: UpsamplerConfig,
  params: upsamplerParams,
  table: ({ unet }) => diffusersUnet(unet),
  apply: (config, params, { image, small, time }) => ({
    predicted: upsamplerPredict(config, params, image!, small!, time!),
  }),
})
