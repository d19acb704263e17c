import { areaMean, rounded } from "./areaMean.js"
import { type Bitmap, over } from "./bitmap.js"

/**
 * The square in an image's middle, as wide as its shorter side, over a background at `size` rows and columns: y x c, c red,
 * green, blue.
 */
export const squareOf = (
  bitmap: Bitmap,
  size: number,
  background: readonly [red: number, green: number, blue: number],
): Uint8Array => {
  const { height, width } = bitmap
  const side = Math.min(height, width)
  const means = areaMean(
    { values: over(bitmap, background), height, width, channels: 3 },
    { top: (height - side) / 2, left: (width - side) / 2, height: side, width: side },
    [size, size],
  )
  return rounded(means)
}
