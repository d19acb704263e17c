import type { Bitmap } from "@millrace/pipelines"

const lumaOf = (rgba: Uint8Array, at: number): number =>
  0.299 * rgba[at]! + 0.587 * rgba[at + 1]! + 0.114 * rgba[at + 2]!

/** The luma below which half of what is seen lies, kept from the ends, where one half would have no shades left. */
const middleOf = ({ rgba }: Bitmap): number => {
  const weights = new Float64Array(256)
  let all = 0
  for (let at = 0; at < rgba.length; at += 4) {
    weights[Math.round(lumaOf(rgba, at))]! += rgba[at + 3]!
    all += rgba[at + 3]!
  }
  let below = 0
  let middle = 0
  while (middle < 255 && below + weights[middle]! < all / 2) below += weights[middle++]!
  return Math.min(Math.max(middle, 70), 225)
}

/**
 * A picture in shades of one colour: what is of middle brightness gets the colour itself, darker parts go to a dark shade
 * of it and lighter ones towards white. Order of brightness and opacity stay.
 */
export const tint = (bitmap: Bitmap, colour: readonly [red: number, green: number, blue: number]): Bitmap => {
  const middle = middleOf(bitmap)
  const rgba = new Uint8Array(bitmap.rgba)
  for (let at = 0; at < rgba.length; at += 4) {
    const luma = lumaOf(bitmap.rgba, at)
    const shade = luma < middle ? 0.2 + (0.8 * luma) / middle : 1
    const light = luma > middle ? (0.85 * (luma - middle)) / (255 - middle) : 0
    for (let c = 0; c < 3; c++) rgba[at + c] = Math.round(colour[c]! * shade * (1 - light) + 255 * light)
  }
  return { ...bitmap, rgba }
}
