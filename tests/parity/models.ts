/** Every model that has an oracle. */
import { diffusionForwardParity, diffusionStepParity } from "./diffusion.js"
import { gptParity } from "./gpt.js"
import type { ParityModel } from "./parity.js"

export const parityModels: ReadonlyArray<ParityModel> = [gptParity, diffusionForwardParity, ...diffusionStepParity]
