/** Images without their copies: two of the same pixels cannot be told apart, and retrieval among n would be among fewer. */
import { type BadData, sha256 } from "@millrace/core"
import { Effect } from "effect"
import type { ImageSet } from "../artifacts/captionedImages.js"

/** Images in memory at a time. */
const PART = 256

/** Of these images of a set, in their order, those whose pixels none before has. */
export const distinctImages = (set: ImageSet, indices: Int32Array): Effect.Effect<Int32Array, BadData> =>
  Effect.gen(function* () {
    const met = new Set<string>()
    const kept: Array<number> = []
    for (let from = 0; from < indices.length; from += PART) {
      const part = [...indices.subarray(from, from + PART)]
      for (const [i, { pixels }] of (yield* set.read(part)).entries()) {
        const name = sha256(pixels)
        if (!met.has(name)) kept.push(part[i]!)
        met.add(name)
      }
    }
    return Int32Array.from(kept)
  })
