/** Images as unCLIP changes them: an embedding, and the noise that the decoder makes the image of. */
import { float32, type HostTensor, type Key, split } from "@millrace/core"
import { encodeLatents, type Latents } from "@millrace/models"
import { Effect, Schema } from "effect"
import type { ClipModel } from "../artifacts/clipModel.js"
import type { ImageDecoder, ImageUpsampler } from "../artifacts/imageDecoder.js"
import { clipEmbedder } from "../clip/embedder.js"
import { Count } from "../ranges.js"
import {
  captionConditions,
  compileDecoder,
  compileDecoderInverse,
  decoderParameters,
  forDecoder,
} from "./decoderSampler.js"
import { signedBatch, signedBytes } from "./signedImages.js"
import { UpsamplerSampling } from "./upsamplerConfig.js"
import { openUpsampler } from "./upsampling.js"

export const LatentSampling = Schema.Struct({
  /** Steps of DDIM, there and back. */
  steps: Count,
  /** Of classifier-free guidance on the way back. Inversion has none, so that only a guidance of 1 gives an image back. */
  guidance: Schema.Finite,
  /** Images at a time. */
  batch: Count,
  upsampler: UpsamplerSampling,
})
export type LatentSampling = typeof LatentSampling.Type

interface Networks {
  readonly clip: ClipModel
  readonly decoder: ImageDecoder
  readonly upsampler: ImageUpsampler
}

/**
 * What changes images needs: they live as long as the scope.
 * - `encode`: images of bytes, of CLIP's size -> their embeddings and noise
 * - `decode`: embeddings and noise -> images of bytes, of the upsampler's size; `eta` of 0 draws nothing
 * - `embed`: images of bytes, of CLIP's size -> their embeddings, float32 n c
 */
export const openLatents = ({ clip, decoder, upsampler }: Networks, sampling: LatentSampling) =>
  Effect.gen(function* () {
    const { steps, guidance, batch } = sampling
    const side = decoder.config.unet.size
    const params = yield* decoderParameters(decoder)
    const embedder = yield* clipEmbedder(clip)
    const inverse = yield* compileDecoderInverse(decoder, batch, steps)
    const enlarge = yield* openUpsampler(upsampler, sampling.upsampler)
    const embed = (images: ReadonlyArray<Uint8Array>) =>
      Effect.map(embedder.images(images), (data): HostTensor => float32([images.length, embedder.joint], data))
    const encode = (images: ReadonlyArray<Uint8Array>) =>
      Effect.gen(function* () {
        const embedding = yield* embed(images)
        const { noise } = yield* encodeLatents(
          inverse,
          params,
          { images: signedBatch(images, clip.config.image.size, side), embedding: forDecoder(embedding) },
          { port: "embedding", conditioning: captionConditions(decoder, images.length, undefined) },
        )
        return { embedding, noise }
      })
    const decodeWith = (eta: number) =>
      Effect.map(
        compileDecoder(decoder, { guidance, steps, eta, batch }),
        (decode) =>
          ({ embedding, noise }: Latents<HostTensor>, key: Key) =>
            Effect.gen(function* () {
              const small = yield* decode(params, { embedding, start: noise }, split(key, "decoder"))
              return signedBytes(yield* enlarge(small, split(key, "upsampler")))
            }),
      )
    return { embed, encode, decodeWith }
  })
