/** Which images a step of training sees, each with one of its captions. */
import { type HostTensor, int32, type Key, random, split } from "@millrace/core"
import type { EmbeddedSet } from "../artifacts/embeddings.js"
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
  const draws = random.uniform(split(split(key, "captions"), step), [batch]).data
  const captions = images.map((image, i) => {
    const [from, to] = [first[image]!, first[image + 1]!]
    return from + Math.floor(draws[i]! * (to - from))
  })
  return { images, captions }
}

/** Steps of noise of a batch, each as likely as any other. int32 b */
export const drawTimes = (key: Key, batch: number, steps: number): HostTensor =>
  int32([batch], random.integers(key, [batch], 0, steps).data)
