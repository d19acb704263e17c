/** Every model that has an oracle. */
import { gptParity } from "./gpt.js"
import type { ParityModel } from "./parity.js"

export const parityModels: ReadonlyArray<ParityModel> = [gptParity]
