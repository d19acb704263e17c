/** Files of images as pixels. What a file is, its content decides, not its name. */
import { BadData } from "@millrace/core"
import type { Bitmap } from "./bitmap.js"
import { decodeJpeg } from "./decodeJpeg.js"
import { decodePng } from "./decodePng.js"
import { isJpeg, jpegHeader } from "./jpegHeader.js"
import { defaultLimits, type ImageLimits } from "./limits.js"
import { isPng, pngHeader } from "./pngHeader.js"
import type { Allow, Refuse } from "./refuse.js"

const within = <A>(
  bytes: Uint8Array,
  where: string,
  limits: ImageLimits,
  png: (bytes: Uint8Array, refuse: Refuse, allow: Allow) => A,
  jpeg: (bytes: Uint8Array, refuse: Refuse, allow: Allow) => A,
): A => {
  const refuse: Refuse = (expected, received) => {
    throw new BadData({ where, expected, received, fix: "save the image again as PNG or JPEG, or take it out" })
  }
  const allow: Allow = (height, width) => {
    // Divided, not multiplied: the product of what a header says may be beyond exact numbers.
    if (width > Math.floor(limits.pixels / height)) {
      refuse(`at most ${limits.pixels / 1e6} million pixels`, `${height} × ${width}`)
    }
  }
  if (bytes.length > limits.bytes) refuse(`at most ${limits.bytes / 1e6} MB`, `${bytes.length / 1e6} MB`)
  if (isPng(bytes)) return png(bytes, refuse, allow)
  if (isJpeg(bytes)) return jpeg(bytes, refuse, allow)
  return refuse("a PNG or JPEG", bytes.length === 0 ? "an empty file" : "the beginning of neither")
}

/**
 * The pixels of a PNG (every colour type, depth and interlacing; the first picture of an animation) or a JPEG (grey or
 * colour, baseline or progressive, turned as its Exif says). Samples of other than 8 bits are brought to 8.
 * @param where     the file's name, for errors
 * @throws BadData  it is no such image, a broken one, or one beyond the limits
 */
export const decodeImage = (bytes: Uint8Array, where: string, limits: ImageLimits = defaultLimits): Bitmap =>
  within(bytes, where, limits, decodePng, decodeJpeg)

/**
 * Whether a file's structure is that of an image within the limits, without decoding its pixels.
 * @throws BadData  it is not
 */
export const checkImage = (bytes: Uint8Array, where: string, limits: ImageLimits = defaultLimits): void =>
  void within<unknown>(bytes, where, limits, pngHeader, jpegHeader)
