/** CLIP's score of images and captions. */
import type { EngineError } from "@millrace/core"
import { Effect } from "effect"
import type { ClipEmbedder } from "../clip/embedder.js"

/** The cosine of each image with its caption: as many of the one as of the other. */
export const cosineScores = (
  { images, texts, joint }: ClipEmbedder,
  pixels: ReadonlyArray<Uint8Array>,
  captions: ReadonlyArray<string>,
): Effect.Effect<ReadonlyArray<number>, EngineError> =>
  Effect.gen(function* () {
    const different = [...new Set(captions)]
    const text = yield* texts(different)
    const image = yield* images(pixels)
    return captions.map((caption, i) => {
      const at = different.indexOf(caption)
      let cosine = 0
      for (let j = 0; j < joint; j++) cosine += image[i * joint + j]! * text[at * joint + j]!
      return cosine
    })
  })
