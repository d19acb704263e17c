/** Every model that has an oracle. */
import { dvaeBoundParity, dvaeDecoderParity, dvaeEncoderParity } from "./dvae.js"
import { gptParity } from "./gpt.js"
import type { ParityModel } from "./parity.js"
import { sparseParity } from "./sparse.js"

export const parityModels: ReadonlyArray<ParityModel> = [
  gptParity,
  dvaeEncoderParity,
  dvaeDecoderParity,
  dvaeBoundParity,
  sparseParity,
]
