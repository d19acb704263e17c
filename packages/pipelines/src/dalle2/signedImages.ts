/** Images of bytes as diffusion takes them, and back. Axes  b batch, y x row and column, c channels */
import type { HostTensor } from "@millrace/core"
import { imageBatch, imageBytes, pixelRanges } from "../images/pixels.js"
import { shrunk } from "../images/resized.js"

/** Images of `size` as a batch of `side`, each pixel the mean of those that it covers. float32 b y x c, [-1,1] */
export const signedBatch = (images: ReadonlyArray<Uint8Array>, size: number, side: number): HostTensor =>
  imageBatch(
    pixelRanges.signed,
    images.map((pixels) => shrunk(pixels, size, side)),
    side,
  )

/** A batch as images of bytes, what is out of range cut off. float32 b y x c, [-1,1] */
export const signedBytes = (batch: HostTensor): ReadonlyArray<Uint8Array> => imageBytes(pixelRanges.signed, batch)
