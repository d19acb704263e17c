/** Images of bytes as CLIP's towers take them. */
import { clipPixels } from "@millrace/models"

/** Of red, green and blue: what a byte is multiplied with, and what is added then. */
export const byteScale = clipPixels.std.map((std) => 1 / (255 * std))
export const byteShift = clipPixels.std.map((std, c) => -clipPixels.mean[c]! / std)

/** Writes one image of bytes, y x c, into a batch as `clip.preprocess` would have it, from element `at` on. */
export const writePixels = (pixels: Uint8Array, batch: Float32Array, at: number): void => {
  for (let i = 0; i < pixels.length; i++) batch[at + i] = pixels[i]! * byteScale[i % 3]! + byteShift[i % 3]!
}
