/** Batches of images, each with one of its captions: what a CLIP learns from. */
import { type BadData, float32, type HostTensors, type Key, split } from "@millrace/core"
import type { Tokenizer } from "@millrace/models"
import { Effect } from "effect"
import type { ImageSet } from "../artifacts/captionedImages.js"
import { drawCaptions } from "../captions/drawCaptions.js"
import { captionRows } from "../captions/rows.js"
import { epochRows } from "../order.js"
import { type AugmentConfig, writeAugmented } from "./augment.js"

export interface ClipBatches {
  readonly set: ImageSet
  /** Rows and columns of an image. */
  readonly size: number
  readonly tokenizer: Tokenizer
  /** Tokens of a row. */
  readonly context: number
  readonly batch: number
  readonly augment: AugmentConfig
}

/**
 * The batch of a step, a function of the key and the step alone: every image once an epoch, changed anew each time, with one
 * of its captions drawn.
 * @returns `pixels` float32 b y x c as `clip.preprocess` makes them, `tokens` int32 b t
 */
export const clipBatch = (
  { set, size, tokenizer, context, batch, augment }: ClipBatches,
  key: Key,
  step: number,
): Effect.Effect<HostTensors, BadData> =>
  Effect.gen(function* () {
    const images = yield* set.read(epochRows(set.count, batch, split(key, "order"), step))
    const changes = split(split(key, "changes"), step)
    const pixels = new Float32Array(batch * size * size * 3)
    for (const [i, image] of images.entries()) {
      writeAugmented(augment, image.pixels, size, split(changes, i), pixels, i * size * size * 3)
    }
    const drawn = drawCaptions(
      key,
      step,
      images.map(({ captions }) => captions.length),
    )
    const captions = images.map((image, i) => image.captions[drawn[i]!]!)
    return {
      pixels: float32([batch, size, size, 3], pixels),
      tokens: captionRows(tokenizer, captions, context),
    }
  })
