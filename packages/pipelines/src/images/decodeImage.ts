/** Files of images as pixels. What a file is, its content decides, not its name. */
import { BadData } from "@millrace/core"
import type { Bitmap } from "./bitmap.js"
import { decodePng } from "./decodePng.js"
import { defaultLimits, type ImageLimits } from "./limits.js"
import { isPng, type Refuse } from "./pngHeader.js"

/**
 * The pixels of a PNG file.
 * @param where   the file's name, for errors
 * @throws BadData  it is no image, a broken one, or one beyond the limits
 */
export const decodeImage = (bytes: Uint8Array, where: string, limits: ImageLimits = defaultLimits): Bitmap => {
  const refuse: Refuse = (expected, received) => {
    throw new BadData({ where, expected, received, fix: "save the image again as PNG, or take it out" })
  }
  const allow = (height: number, width: number): void => {
    // Divided, not multiplied: the product of what a header says may be beyond exact numbers.
    if (width > Math.floor(limits.pixels / height)) {
      refuse(`at most ${limits.pixels / 1e6} million pixels`, `${height} × ${width}`)
    }
  }
  if (bytes.length > limits.bytes) refuse(`at most ${limits.bytes / 1e6} MB`, `${bytes.length / 1e6} MB`)
  if (isPng(bytes)) return decodePng(bytes, refuse, allow)
  return refuse("a PNG", "neither signature")
}
