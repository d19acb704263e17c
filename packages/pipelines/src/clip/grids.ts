/** What a CLIP is shown by: the images that it finds for texts, and how near images and captions are. */
import type { CaptionedImage } from "../artifacts/captionedImages.js"
import type { ImageGrid } from "../images/showImages.js"
import { cosinesOf, type Features, nearest } from "./ranks.js"
import { spread } from "./spread.js"

/** For each text a row of the images that are nearest to it, nearest first, each with its caption and cosine. */
export const retrievedGrid = (
  title: string,
  texts: ReadonlyArray<string>,
  textFeatures: Features,
  images: ReadonlyArray<CaptionedImage>,
  imageFeatures: Features,
  size: number,
  columns: number,
): ImageGrid => {
  const across = Math.min(columns, images.length)
  const tiles = texts.flatMap((_, i) =>
    nearest(cosinesOf(textFeatures, i, imageFeatures), across).map(({ row, score }) => {
      const { pixels, captions } = images[row]!
      return { pixels, text: `${captions[0]} ${score.toFixed(2)}` }
    }),
  )
  return { title, size: [size, size], columns: across, tiles, rowNames: texts }
}

/** From white to a dark blue, `value` in [0, 1]. */
const shade = (value: number, size: number): Uint8Array => {
  const colour = [255 - 235 * value, 255 - 195 * value, 255 - 115 * value]
  return Uint8Array.from({ length: size * size * 3 }, (_, i) => colour[i % 3]!)
}

/** Some images, and below them a row for each of their captions: the darker a field, the nearer the two. */
export const similarityGrid = (
  title: string,
  images: ReadonlyArray<CaptionedImage>,
  imageFeatures: Features,
  captionFeatures: Features,
  size: number,
  count = 16,
): ImageGrid => {
  const places = spread(images.length, count)
  const shown = places.map((i) => images[i]!)
  const all = places.flatMap((row) => {
    const cosines = cosinesOf(captionFeatures, row, imageFeatures)
    return places.map((column) => cosines[column]!)
  })
  const [low, high] = [Math.min(...all), Math.max(...all)]
  const fields = all.map((cosine) => ({
    pixels: shade((cosine - low) / Math.max(high - low, 1e-6), size),
    text: cosine.toFixed(2),
  }))
  const captions = shown.map((image) => image.captions[0]!)
  const tiles = [...shown.map(({ pixels }) => ({ pixels })), ...fields]
  return { title, size: [size, size], columns: shown.length, tiles, rowNames: ["", ...captions] }
}
