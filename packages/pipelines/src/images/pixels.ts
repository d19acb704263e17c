/**
 * Images of bytes as the numbers that models take, and back.
 * Axes     b batch, y x row and column, c red, green and blue
 */
import { float32, type HostTensor } from "@millrace/core"
import { clipPixels } from "@millrace/models"

/** The numbers of a model, for each of red, green and blue: what a byte is multiplied with, and what is added then. */
export interface PixelRange {
  readonly scale: readonly [number, number, number]
  readonly shift: readonly [number, number, number]
}

const [red, green, blue] = clipPixels.std
const [meanRed, meanGreen, meanBlue] = clipPixels.mean

/** [0, 1], of discrete VAEs and judges; [-1, 1], of diffusion; and what `clip.preprocess` makes. */
export const pixelRanges = {
  unit: { scale: [1 / 255, 1 / 255, 1 / 255], shift: [0, 0, 0] },
  signed: { scale: [1 / 127.5, 1 / 127.5, 1 / 127.5], shift: [-1, -1, -1] },
  clip: {
    scale: [1 / (255 * red), 1 / (255 * green), 1 / (255 * blue)],
    shift: [-meanRed / red, -meanGreen / green, -meanBlue / blue],
  },
} as const satisfies Readonly<Record<string, PixelRange>>

/** Writes one image, y x c, into a batch, from element `at` on. Its values are bytes, or means of bytes. */
export const writePixels = (
  { scale, shift }: PixelRange,
  pixels: ArrayLike<number>,
  batch: Float32Array,
  at: number,
): void => {
  for (let i = 0; i < pixels.length; i++) batch[at + i] = pixels[i]! * scale[i % 3]! + shift[i % 3]!
}

/**
 * Images of `side` rows and columns as one batch.
 * @param count  of the batch; what is missing repeats the last image
 * @returns      float32 b y x c
 */
export const imageBatch = (
  range: PixelRange,
  images: ReadonlyArray<ArrayLike<number>>,
  side: number,
  count = images.length,
): HostTensor => {
  const each = side * side * 3
  const data = new Float32Array(count * each)
  for (let i = 0; i < count; i++) writePixels(range, images[Math.min(i, images.length - 1)]!, data, i * each)
  return float32([count, side, side, 3], data)
}

/** The first `count` images of a batch as bytes, what is out of range cut off. float32 b y x c */
export const imageBytes = (
  { scale, shift }: PixelRange,
  { data, shape: [b = 0] }: HostTensor,
  count = b,
): ReadonlyArray<Uint8Array> => {
  const each = b === 0 ? 0 : data.length / b
  return Array.from({ length: count }, (_, i) =>
    Uint8Array.from(data.subarray(i * each, (i + 1) * each), (x, at) =>
      Math.max(0, Math.min(255, Math.round((x - shift[at % 3]!) / scale[at % 3]!))),
    ),
  )
}
