/** What a sparse transformer draws for a few captions while it learns. */
import { Engine, type Key, type State } from "@millrace/core"
import { compileImageSampler, generateCodes, type SparseConfig, type Tokenizer } from "@millrace/models"
import { Effect } from "effect"
import type { DiscreteVae } from "../artifacts/discreteVae.js"
import type { CodedSet } from "../artifacts/imageCodes.js"
import { showImages } from "../images/showImages.js"
import { spread } from "../spread.js"
import { captionTokens } from "./captionTokens.js"
import { openDecoder } from "./decode.js"
import { imageSize } from "./reconstruct.js"

/** Makes what shows one image for each of some held-out captions, always with the same random numbers. */
export const openPriorLook = (
  model: SparseConfig,
  heldOut: CodedSet,
  dvae: DiscreteVae,
  tokenizer: Tokenizer,
  count: number,
  key: Key,
) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const captions = spread(heldOut.captions.length, count).map((at) => heldOut.captions[at]![0]!)
    const tokens = captions.map((caption) => captionTokens(tokenizer, caption, model.text))
    const sampler = yield* compileImageSampler(model, { batch: captions.length, prefix: "logits." })
    const decode = yield* openDecoder(dvae.config, captions.length)
    const decoder = yield* engine.allocate(dvae.params)
    const size = imageSize(dvae.config)
    return (params: State, step: number) =>
      Effect.gen(function* () {
        const { codes } = yield* generateCodes(sampler, params, tokens, key)
        const images = yield* decode(decoder, codes.data as Int32Array)
        yield* showImages({
          title: "Images of held-out captions",
          step,
          size: [size, size],
          columns: Math.min(8, captions.length),
          tiles: images.map((pixels, i) => ({ pixels, text: captions[i]! })),
        })
      })
  })
