/** What is said of the images of a set. */
import type { BadData } from "@millrace/core"
import { Effect } from "effect"
import type { ImageSet } from "../artifacts/captionedImages.js"

/** Images in memory at a time. */
const PART = 256

/** Every caption of every image, in their order. */
export const captionsOf = ({ count, read }: ImageSet): Effect.Effect<ReadonlyArray<string>, BadData> =>
  Effect.gen(function* () {
    const captions: Array<string> = []
    for (let from = 0; from < count; from += PART) {
      const indices = Array.from({ length: Math.min(PART, count - from) }, (_, i) => from + i)
      for (const image of yield* read(indices)) captions.push(...image.captions)
    }
    return captions
  })
