/** Which images a step of training sees, each with one of its captions. */
import { type HostTensor, int32, type Key, random, split } from "@millrace/core"
import type { EmbeddedSet } from "../artifacts/embeddings.js"
import { drawCaptions } from "../captions/drawCaptions.js"
import { epochRows } from "../order.js"

export interface CaptionedRows {
  /** Images by their place among the embedded. */
  readonly images: ReadonlyArray<number>
  /** Their captions by their place among all captions. */
  readonly captions: ReadonlyArray<number>
}

/** A function of the key and the step alone: every image once an epoch, with a caption drawn anew each time. */
export const captionedRows = ({ first }: EmbeddedSet, batch: number, key: Key, step: number): CaptionedRows => {
  const images = epochRows(first.length - 1, batch, split(key, "order"), step)
  const drawn = drawCaptions(
    key,
    step,
    images.map((image) => first[image + 1]! - first[image]!),
  )
  return { images, captions: images.map((image, i) => first[image]! + drawn[i]!) }
}

/** Steps of noise of a batch, each as likely as any other. int32 b */
export const drawTimes = (key: Key, batch: number, steps: number): HostTensor =>
  int32([batch], random.integers(key, [batch], 0, steps).data)
