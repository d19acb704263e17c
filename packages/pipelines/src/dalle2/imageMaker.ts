/** From embeddings to images of full size: decoder, then upsampler. */
import { type Key, split } from "@millrace/core"
import { Effect, Schema } from "effect"
import type { ImageDecoder, ImageUpsampler } from "../artifacts/imageDecoder.js"
import { DecoderSampling } from "./decoderConfig.js"
import { compileDecoder, decoderParameters, type Wanted } from "./decoderSampler.js"
import { signedBytes } from "./signedImages.js"
import { UpsamplerSampling } from "./upsamplerConfig.js"
import { openUpsampler } from "./upsampling.js"

export const ImageSampling = Schema.Struct({ decoder: DecoderSampling, upsampler: UpsamplerSampling })
export type ImageSampling = typeof ImageSampling.Type

/**
 * Both networks made ready. They live as long as the scope.
 * @returns  `make` gives images of bytes, of the upsampler's size, each y x c; `guidedBy` another `make`, whose noise is the same
 */
export const openImageMaker = (decoder: ImageDecoder, upsampler: ImageUpsampler, sampling: ImageSampling) =>
  Effect.gen(function* () {
    const params = yield* decoderParameters(decoder)
    const enlarge = yield* openUpsampler(upsampler, sampling.upsampler)
    const guidedBy = (guidance: number) =>
      Effect.map(
        compileDecoder(decoder, { ...sampling.decoder, guidance }),
        (decode) => (wanted: Wanted, key: Key) =>
          Effect.gen(function* () {
            const small = yield* decode(params, wanted, split(key, "decoder"))
            return signedBytes(yield* enlarge(small, split(key, "upsampler")))
          }),
      )
    return { make: yield* guidedBy(sampling.decoder.guidance), guidedBy }
  })
