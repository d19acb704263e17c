/** Every model that has an oracle. */
import { glideParity, karloParity } from "./decoder.js"
import { gptParity } from "./gpt.js"
import type { ParityModel } from "./parity.js"
import { unetParity, upsamplerParity } from "./unet.js"

export const parityModels: ReadonlyArray<ParityModel> = [
  gptParity,
  unetParity,
  upsamplerParity,
  karloParity,
  glideParity,
]
