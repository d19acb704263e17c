/** The first half of an iteration: images of the present policy, and what CLIP thinks of them. */
import { type Key, type State, split } from "@millrace/core"
import { compileImageSampler, generateCodes, type Tokenizer } from "@millrace/models"
import { Effect } from "effect"
import type { DiscreteVae } from "../../artifacts/discreteVae.js"
import type { SparseTransformer } from "../../artifacts/sparseTransformer.js"
import type { ClipEmbedder } from "../../clip/embedder.js"
import { captionTokens } from "../captionTokens.js"
import { cosineScores } from "../cosineScores.js"
import { openDecoder } from "../decode.js"

export interface CodeRollout {
  readonly tokens: ReadonlyArray<ReadonlyArray<number>>
  /** int32 b s */
  readonly codes: Int32Array
  /** Of each code under the policy that drew it, nat: float32 b s. */
  readonly logProb: Float32Array
  /** The cosine of each image with its caption. */
  readonly scores: ReadonlyArray<number>
  readonly images: ReadonlyArray<Uint8Array>
}

/**
 * Makes what draws an image for each of some captions and scores it.
 * @param decoder  the discrete VAE's parameters in the engine
 * @param batch    captions at a time
 */
export const openCodeRollout = (
  prior: SparseTransformer,
  dvae: DiscreteVae,
  decoder: State,
  tokenizer: Tokenizer,
  embedder: ClipEmbedder,
  batch: number,
) =>
  Effect.gen(function* () {
    const sampler = yield* compileImageSampler(prior.config, { batch, prefix: "policy." })
    const decode = yield* openDecoder(dvae.config, Math.min(64, batch))
    return (policy: State, captions: ReadonlyArray<string>, key: Key) =>
      Effect.gen(function* () {
        const tokens = captions.map((caption) => captionTokens(tokenizer, caption, prior.config.text))
        const { codes, logProb } = yield* generateCodes(sampler, policy, tokens, split(key, "codes"))
        const images = yield* decode(decoder, codes.data as Int32Array)
        return {
          tokens,
          codes: codes.data as Int32Array,
          logProb: logProb.data as Float32Array,
          scores: yield* cosineScores(embedder, images, captions),
          images,
        } satisfies CodeRollout
      })
  })
