import { float32, keyFromSeed } from "@millrace/core"
import { clipPixels } from "@millrace/models"
import { drawCaptions, imageBatch, imageBytes, type PixelRange, pixelRanges, shrunk } from "@millrace/pipelines"
import { describe, expect, test } from "vitest"

const ranges: ReadonlyArray<[string, PixelRange]> = Object.entries(pixelRanges)
/** Every byte in every channel. 16 · 16 pixels. */
const bytes = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => Math.floor(i / 3))

describe("images as numbers and back", () => {
  test.each(ranges)("are the same bytes, all of them in all channels: %s", (_, range) => {
    expect(imageBytes(range, imageBatch(range, [bytes, bytes.toReversed()], 16))).toEqual([bytes, bytes.toReversed()])
  })

  test("are what each range says: 0 to 1, -1 to 1, and of mean 0 and deviation 1 over the images of CLIP", () => {
    const [unit, signed, clip] = [pixelRanges.unit, pixelRanges.signed, pixelRanges.clip].map(
      (range) => imageBatch(range, [bytes], 16).data,
    )
    for (const [i, byte] of bytes.entries()) {
      expect(unit![i]).toBe(Math.fround(byte / 255))
      expect(signed![i]).toBeCloseTo(byte / 127.5 - 1, 6)
      expect(clip![i]).toBeCloseTo((byte / 255 - clipPixels.mean[i % 3]!) / clipPixels.std[i % 3]!, 5)
    }
  })

  test("are cut off where the numbers are out of range", () => {
    const batch = float32([1, 1, 1, 3], [-7, 0, 7])
    expect(imageBytes(pixelRanges.signed, batch)).toEqual([Uint8Array.from([0, 128, 255])])
    expect(imageBytes(pixelRanges.unit, batch)).toEqual([Uint8Array.from([0, 0, 255])])
  })

  test("repeat the last image up to the batch, and are read up to a count", () => {
    const other = bytes.toReversed()
    const batch = imageBatch(pixelRanges.unit, [bytes, other], 16, 4)
    expect(imageBytes(pixelRanges.unit, batch)).toEqual([bytes, other, other, other])
    expect(imageBytes(pixelRanges.unit, batch, 1)).toEqual([bytes])
  })

  test("keep their mean where they are shrunk, and are themselves at their own size", () => {
    const mean = (x: ArrayLike<number>) => Array.from(x).reduce((sum, value) => sum + value, 0) / x.length
    for (const side of [1, 2, 4, 8]) expect(mean(shrunk(bytes, 16, side))).toBeCloseTo(mean(bytes), 6)
    expect(shrunk(bytes, 16, 16)).toBe(bytes)
  })
})

test("each image is seen with each of its captions about as often, and a step is a function of key and number", () => {
  const counts = [1, 3, 5]
  const seen = counts.map((count) => new Array<number>(count).fill(0))
  for (let step = 0; step < 3000; step++) {
    const drawn = drawCaptions(keyFromSeed(1), step, counts)
    expect(drawCaptions(keyFromSeed(1), step, counts)).toEqual(drawn)
    for (const [i, place] of drawn.entries()) seen[i]![place]!++
  }
  for (const [i, times] of seen.entries()) {
    expect(times.length).toBe(counts[i])
    for (const count of times) expect(Math.abs(count - 3000 / counts[i]!)).toBeLessThan(130)
  }
})
