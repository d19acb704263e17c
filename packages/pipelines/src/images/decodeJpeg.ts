/** JPEG in grey or colour, baseline or progressive, turned as its Exif says. Decoded by jpeg-js, after the header's checks. */
import { decode } from "jpeg-js"
import type { Bitmap } from "./bitmap.js"
import { jpegHeader } from "./jpegHeader.js"
import type { Allow, Refuse } from "./refuse.js"
import { turned } from "./turned.js"

export const decodeJpeg = (bytes: Uint8Array, refuse: Refuse, allow: Allow): Bitmap => {
  const { height, width, colour, orientation, needed } = jpegHeader(bytes, refuse, allow)
  let decoded: { readonly height: number; readonly width: number; readonly data: Uint8Array }
  try {
    decoded = decode(needed, {
      useTArray: true,
      tolerantDecoding: false,
      colorTransform: colour === "ycc",
      // The header has been held against the limits already; this is the decoder's own count of its blocks.
      maxResolutionInMP: Number.POSITIVE_INFINITY,
      maxMemoryUsageInMB: 16 + (height * width * 32) / 1e6,
    })
  } catch (error) {
    return refuse("a JPEG that can be decoded", error instanceof Error ? error.message : String(error))
  }
  if (decoded.height !== height || decoded.width !== width) {
    return refuse(`${height} × ${width} pixels`, `${decoded.height} × ${decoded.width}`)
  }
  return turned({ height, width, rgba: decoded.data }, orientation)
}
