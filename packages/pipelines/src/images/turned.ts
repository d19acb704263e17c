import type { Bitmap } from "./bitmap.js"

/**
 * A stored image as it is to be seen.
 * @param orientation  1 to 8, as Exif counts: where row 0 and column 0 of the stored image belong (1 top left, 2 top right,
 *                     3 bottom right, 4 bottom left; 5 left top, 6 right top, 7 right bottom, 8 left bottom)
 */
export const turned = (bitmap: Bitmap, orientation: number): Bitmap => {
  if (orientation === 1) return bitmap
  const swapped = orientation >= 5
  const height = swapped ? bitmap.width : bitmap.height
  const width = swapped ? bitmap.height : bitmap.width
  const fromBottom = [3, 4, 7, 8].includes(orientation)
  const fromRight = [2, 3, 6, 7].includes(orientation)
  const rgba = new Uint8Array(bitmap.rgba.length)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [down, across] = [fromBottom ? height - 1 - y : y, fromRight ? width - 1 - x : x]
      const from = (swapped ? across * bitmap.width + down : down * bitmap.width + across) * 4
      rgba.set(bitmap.rgba.subarray(from, from + 4), (y * width + x) * 4)
    }
  }
  return { height, width, rgba }
}
