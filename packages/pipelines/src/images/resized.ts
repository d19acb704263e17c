/** Square images of bytes with another number of rows and columns. y x c */
import { areaMean } from "./areaMean.js"

/** An image at a part of its sides, each pixel the mean of those that it covers: no bytes any more. */
export const shrunk = (pixels: Uint8Array, size: number, side: number): ArrayLike<number> =>
  side === size
    ? pixels
    : areaMean(
        { values: pixels, height: size, width: size, channels: 3 },
        { top: 0, left: 0, height: size, width: size },
        [side, side],
      )

/** An image at a multiple of its sides, its pixels repeated. */
export const enlarged = (pixels: Uint8Array, side: number, size: number): Uint8Array => {
  const factor = size / side
  const made = new Uint8Array(size * size * 3)
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const from = (Math.floor(y / factor) * side + Math.floor(x / factor)) * 3
      made.set(pixels.subarray(from, from + 3), (y * size + x) * 3)
    }
  }
  return made
}
