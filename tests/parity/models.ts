/** Every model that has an oracle. */
import { clipParity } from "./clip.js"
import { gptParity } from "./gpt.js"
import type { ParityModel } from "./parity.js"
import { priorParity } from "./prior.js"

export const parityModels: ReadonlyArray<ParityModel> = [gptParity, ...clipParity, priorParity]
