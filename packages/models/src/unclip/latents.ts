/**
 * Images as unCLIP holds them: a CLIP embedding, which says what is recognised, and the noise that the decoder makes the
 * image of, which holds the rest.
 *   variations      one pair, decoded with η > 0 and several keys
 *   interpolations  `interpolateLatents` of two pairs, decoded with η = 0
 *   text diffs      `textDiff` of the embedding, the same noise, decoded with η = 0
 * Source   Ramesh et al. 2022, section 3.
 */
import type { EngineError, HostTensor, HostTensors, Key, State } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import type { DiffusionInverse } from "../diffusion/compileDiffusionInverse.js"
import type { DiffusionSampler } from "../diffusion/compileDiffusionSampler.js"
import { slerp } from "../diffusion/slerp.js"

/** The pair (z_i, x_T): tensors within a program, or as data. */
export interface Latents<T> {
  /** float32  n c */
  readonly embedding: T
  /** float32  n … */
  readonly noise: T
}

/** What a decoder is given beside the noise. */
export interface DecoderConditions {
  /** The decoder's condition that takes embeddings: `embedding`. */
  readonly port: string
  /** All others, a row for each image. */
  readonly conditioning?: HostTensors
}

/**
 * The pair of each image.
 * @param inverse    of the decoder, without guidance
 * @param images     float32  n …
 * @param embedding  the images', by CLIP   float32  n c
 */
export const encodeLatents = (
  inverse: DiffusionInverse,
  params: State,
  { images, embedding }: { readonly images: HostTensor; readonly embedding: HostTensor },
  { port, conditioning = {} }: DecoderConditions,
): Effect.Effect<Latents<HostTensor>, EngineError> =>
  Effect.map(inverse.invert(params, images, { conditioning: { ...conditioning, [port]: embedding } }), (noise) => ({
    embedding,
    noise,
  }))

/**
 * The image of each pair. With DDIM and η = 0 no key matters; η > 0 gives variations, the more so the larger it is.
 * @returns  float32  n …
 * @law      with η = 0 it undoes `encodeLatents`, the better the more steps there are
 */
export const decodeLatents = (
  sampler: DiffusionSampler,
  params: State,
  { embedding, noise }: Latents<HostTensor>,
  { port, conditioning = {} }: DecoderConditions,
  key: Key,
): Effect.Effect<HostTensor, EngineError> =>
  sampler.sample(
    params,
    { count: noise.shape[0] ?? 0, start: noise, conditioning: { ...conditioning, [port]: embedding } },
    key,
  )

/**
 * Pairs on the way from one to another: embedding and noise each along a great circle, the noise of an image as one vector.
 * To keep the noise of one, and so what is not recognised, give it twice.
 * @param share  0 is a, 1 is b; a number, or float32 n 1
 * @source Ramesh et al. 2022, section 3.2
 */
export const interpolateLatents = (
  a: Latents<tf.Tensor>,
  b: Latents<tf.Tensor>,
  share: tf.Tensor | number,
): Latents<tf.Tensor> => {
  const flat = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [x.shape[0] ?? 0, -1])
  return {
    embedding: slerp(a.embedding, b.embedding, share),
    noise: tf.reshape(slerp(flat(a.noise), flat(b.noise), share), a.noise.shape),
  }
}
