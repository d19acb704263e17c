/** What a CLIP is shown by: the images that it finds for texts, and how near images and captions are. */
import type { CaptionedImage } from "../artifacts/captionedImages.js"
import type { ImageGrid } from "../images/showImages.js"
import { spread } from "../spread.js"
import { cosinesOf, type Features, nearest } from "./ranks.js"

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

/** Some images, and below them for each of their captions how near each image is. */
export const similarityGrid = (
  title: string,
  images: ReadonlyArray<CaptionedImage>,
  imageFeatures: Features,
  captionFeatures: Features,
  size: number,
  count = 16,
): ImageGrid => {
  const places = spread(images.length, count)
  const numbers = places.map((row) => {
    const cosines = cosinesOf(captionFeatures, row, imageFeatures)
    return { name: images[row]!.captions[0]!, values: places.map((column) => cosines[column]!) }
  })
  const tiles = places.map((i) => ({ pixels: images[i]!.pixels }))
  return { title, size: [size, size], columns: tiles.length, tiles, numbers }
}
