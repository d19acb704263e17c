import { decoderLaws } from "./decoderLaws.js"
import { verify } from "./law.js"
import { real } from "./mutants/decoder.js"

verify("decoder", decoderLaws(real))
