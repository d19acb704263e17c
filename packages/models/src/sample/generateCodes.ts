/** Image codes from captions. */
import { BadData, BadLength, type EngineError, type HostTensor, type Key, type State } from "@millrace/core"
import { Effect } from "effect"
import type { SparseConfig } from "../sparse.js"
import type { ImageSampler } from "./compileImageSampler.js"
import { drawRows } from "./drawRows.js"

/** Codes of images: a row for each caption, a column for each place in raster order. */
export interface ImageSamples {
  /** int32  n s */
  readonly codes: HostTensor
  /** Log-probability of each code under the model's own distribution (temperature 1, nothing filtered), nat. float32  n s */
  readonly logProb: HostTensor
  /** The same under the distribution that was sampled. float32  n s */
  readonly sampledLogProb: HostTensor
}

const checkCaptions = (
  { textVocab, text }: SparseConfig,
  captions: ReadonlyArray<ReadonlyArray<number>>,
): Effect.Effect<void, BadLength | BadData> => {
  for (const [i, caption] of captions.entries()) {
    const where = `generateCodes > caption ${i}`
    if (caption.length > text) {
      return Effect.fail(
        new BadLength({
          where,
          expected: `at most ${text} tokens, the model's text`,
          received: `${caption.length} tokens`,
          fix: "cut the caption",
        }),
      )
    }
    const bad = caption.find((id) => !Number.isInteger(id) || id < 0 || id >= textVocab)
    if (bad !== undefined) {
      return Effect.fail(
        new BadData({
          where,
          expected: `tokens from 0 to ${textVocab - 1}`,
          received: `token ${bad}`,
          fix: "encode the caption with the tokenizer that the model was trained with; paddings are added here",
        }),
      )
    }
  }
  return Effect.void
}

/**
 * An image's codes for each caption; name a caption several times for several images of it.
 *
 * The code of image i at place j is drawn with uniform number i · s + j of the key: it depends on the key, the caption's
 * place among the captions and j, not on the size of the batches.
 * @param policy    the parameters, under the names that training gives them
 * @param captions  tokens of each, at most the model's text; none is an empty caption
 * @fails  BadLength  a caption is longer than the model's text
 * @fails  BadData    a token is not in the text vocabulary
 */
export const generateCodes = (
  sampler: ImageSampler,
  policy: State,
  captions: ReadonlyArray<ReadonlyArray<number>>,
  key: Key,
): Effect.Effect<ImageSamples, BadLength | BadData | EngineError> =>
  Effect.gen(function* () {
    const { model, config } = sampler
    yield* checkCaptions(model, captions)
    const { text, rows: height, columns } = model
    const b = config.batch
    const { code, logProb, sampledLogProb } = yield* drawRows(
      { count: captions.length, batch: b, length: height * columns },
      key,
      { code: "int32", logProb: "float32", sampledLogProb: "float32" },
      (rows, uniform) => {
        const batch = { tokens: new Int32Array(b * text), mask: new Float32Array(b * text), uniform }
        for (const [i, row] of rows.entries()) {
          const caption = captions[row]!
          batch.tokens.set(caption, i * text)
          batch.mask.fill(1, i * text, i * text + caption.length)
        }
        return sampler.batch(policy, batch)
      },
    )
    return { codes: code, logProb, sampledLogProb }
  })
