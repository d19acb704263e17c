/** A decoder made ready to sample and to invert. */
import { Engine, float32, type HostTensor, type HostTensors, type Key, type State } from "@millrace/core"
import {
  compileDiffusionInverse,
  compileDiffusionSampler,
  type DecoderConfig,
  type DiffusionConfig,
  diffusionOf,
  guided,
  type Tokenizer,
} from "@millrace/models"
import { Effect } from "effect"
import type { ImageDecoder } from "../artifacts/imageDecoder.js"
import { renamed } from "../parameters.js"
import { captionInputs } from "./captionInputs.js"
import type { DecoderSampling } from "./decoderConfig.js"
import { decoderDenoiser } from "./objectives.js"

/** What images are made of: embeddings float32 n c, and captions where they are told; where `start` is given, of that noise. */
export interface Wanted {
  readonly embedding: HostTensor
  readonly captions?: ReadonlyArray<string>
  readonly start?: HostTensor
}

/**
 * Embeddings as the decoder is given them: times the root of their width, so that a component is about 1, as large as what
 * else is projected. Of length 1 they would hardly be heard at first. float32 n c
 */
export const forDecoder = ({ shape, data }: HostTensor): HostTensor => {
  const factor = Math.sqrt(shape[1] ?? 1)
  return float32(
    shape,
    Float32Array.from(data as Float32Array, (x) => factor * x),
  )
}

interface Network {
  readonly config: DecoderConfig
  readonly diffusion: DiffusionConfig
  readonly tokenizer: Tokenizer
}

const contextOf = ({ text }: DecoderConfig): number => (text.kind === "encoder" ? text.encoder.context : 0)

/** The decoder's conditions but the embedding: captions, or none. */
export const captionConditions = (
  { config, tokenizer }: Network,
  n: number,
  captions: ReadonlyArray<string> | undefined,
): HostTensors => {
  const { text, mask } = captionInputs(tokenizer, captions ?? Array.from({ length: n }, () => ""), contextOf(config))
  const flags = (value: number): HostTensor => float32([n], new Float32Array(n).fill(value))
  return { tokens: text, mask, keepCaption: flags(captions === undefined ? 0 : 1), keepEmbedding: flags(1) }
}

const unguided = (given: HostTensors, n: number): HostTensors => {
  const none = float32([n], new Float32Array(n))
  return Object.fromEntries(
    Object.entries({ ...given, keepCaption: none, keepEmbedding: none }).map(([name, rows]) => [
      `unconditional.${name}`,
      rows,
    ]),
  )
}

const walkOf = ({ config, diffusion }: Network, batch: number, steps: number) => ({
  diffusion: diffusionOf(diffusion),
  spacing: `${Math.min(steps, diffusion.schedule.steps)}`,
  batch,
  shape: [config.unet.size, config.unet.size, 3],
})

/**
 * A sampler for any parameters in the engine that have the names that training gives them.
 * @returns  images of the decoder's size: float32 n y x c, [-1,1]
 */
export const compileDecoder = (network: Network, sampling: DecoderSampling) =>
  Effect.gen(function* () {
    const { guidance, steps, eta, batch } = sampling
    const denoiser = decoderDenoiser(network.config, network.diffusion)
    const isGuided = guidance !== 1
    const sampler = yield* compileDiffusionSampler(isGuided ? guided(denoiser, guidance) : denoiser, {
      ...walkOf(network, batch, steps),
      method: { kind: "ddim", eta },
      clamp: 1,
    })
    return (params: State, { embedding, captions, start }: Wanted, key: Key) => {
      const n = embedding.shape[0] ?? 0
      const given = { ...captionConditions(network, n, captions), embedding: forDecoder(embedding) }
      const conditioning = isGuided ? { ...given, ...unguided(given, n) } : given
      return sampler.sample(params, { count: n, conditioning, ...(start === undefined ? {} : { start }) }, key)
    }
  })

/** The decoder's parameters in the engine, under the names that training gives them. */
export const decoderParameters = ({ params }: ImageDecoder) =>
  Effect.flatMap(Engine, (engine) => engine.allocate(renamed(params, "", "decoder.")))

/** The noise that the decoder makes images of, told of their embeddings alone. */
export const compileDecoderInverse = (network: Network, batch: number, steps: number) =>
  compileDiffusionInverse(decoderDenoiser(network.config, network.diffusion), {
    ...walkOf(network, batch, steps),
    clamp: null,
  })
