/** Every model that has an oracle. */
import { autoregressivePriorParity } from "./autoregressivePrior.js"
import { clipParity } from "./clip.js"
import { glideParity, karloParity } from "./decoder.js"
import { diffusionForwardParity, diffusionStepParity } from "./diffusion.js"
import { dvaeBoundParity, dvaeDecoderParity, dvaeEncoderParity } from "./dvae.js"
import { gptParity } from "./gpt.js"
import type { ParityModel } from "./parity.js"
import { priorParity } from "./prior.js"
import { rewardParity, valueParity } from "./reward.js"
import { sparseParity } from "./sparse.js"
import { unetParity, upsamplerParity } from "./unet.js"

export const parityModels: ReadonlyArray<ParityModel> = [
  gptParity,
  rewardParity,
  valueParity,
  ...clipParity,
  dvaeEncoderParity,
  dvaeDecoderParity,
  dvaeBoundParity,
  sparseParity,
  diffusionForwardParity,
  ...diffusionStepParity,
  priorParity,
  autoregressivePriorParity,
  unetParity,
  karloParity,
  glideParity,
  upsamplerParity,
]
