/**
 * The baseline of zero-shot classification where the concepts have been seen: the class of the nearest image by raw pixels.
 * Axes     y x image row and column, c channels
 */
import type { CaptionedImage } from "../artifacts/captionedImages.js"

/** An image and what it shows. */
export interface Shown {
  readonly pixels: CaptionedImage["pixels"]
  /** The same for two images of one concept. */
  readonly name: string
}

/** Of bytes that are compared at a time, between looks at whether they are too far apart already. */
const PIECE = 96

/** The squared distance of two images, or some number above `most` where it is above it. */
const distance = (a: Uint8Array, b: Uint8Array, most: number): number => {
  let sum = 0
  for (let from = 0; from < a.length && sum <= most; from += PIECE) {
    const end = Math.min(a.length, from + PIECE)
    for (let i = from; i < end; i++) {
      const difference = a[i]! - b[i]!
      sum += difference * difference
    }
  }
  return sum
}

const nearestOf = (query: Uint8Array, images: ReadonlyArray<Uint8Array>, most: number): number =>
  images.reduce(
    (least, image) => Math.min(least, distance(query, image, Math.min(least, most))),
    Number.POSITIVE_INFINITY,
  )

/**
 * The place of each query's own concept among all concepts, by the nearest image of each: 0 where that of its own is the
 * nearest of all. Of concepts that are equally near the own one is in their middle. Distances are sums of squares over bytes.
 * @param seen  images to compare with, at least one of every concept that a query shows
 * @param most  a place is counted up to here: where more are nearer, it is this
 */
export const pixelRanks = (
  queries: ReadonlyArray<Shown>,
  seen: ReadonlyArray<Shown>,
  most: number,
): ReadonlyArray<number> => {
  const concepts = new Map<string, Array<Uint8Array>>()
  for (const { name, pixels } of seen) concepts.set(name, [...(concepts.get(name) ?? []), pixels])
  return queries.map(({ name, pixels }) => {
    const own = nearestOf(pixels, concepts.get(name)!, Number.POSITIVE_INFINITY)
    let [nearer, equal] = [0, 0]
    for (const [other, images] of concepts) {
      if (other === name) continue
      const least = nearestOf(pixels, images, own)
      if (least < own) nearer++
      else if (least === own) equal++
      if (nearer >= most) return most
    }
    return Math.min(most, nearer + equal / 2)
  })
}
