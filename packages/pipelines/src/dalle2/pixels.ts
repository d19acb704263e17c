/** Images of bytes as diffusion takes them, and back. Axes  b batch, y x row and column, c channels */
import { float32, type HostTensor, ShapeMismatch } from "@millrace/core"
import { Effect } from "effect"
import { areaMean } from "../images/areaMean.js"

/** An image of bytes at a multiple of its sides, its pixels repeated. y x c */
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

/** @fails ShapeMismatch  a side that does not divide that of the images */
export const requireSide = (where: string, size: number, side: number): Effect.Effect<void, ShapeMismatch> =>
  size % side === 0
    ? Effect.void
    : new ShapeMismatch({
        where,
        expected: `images whose sides are a multiple of ${side}, the network's`,
        received: `images of ${size} × ${size}`,
        fix: "make images of another size, or the network for another one",
      })

/** Images of bytes as a batch of some side, each pixel the mean of those that it covers. float32 b y x c, [-1,1] */
export const batchOf = (images: ReadonlyArray<Uint8Array>, size: number, side: number): HostTensor => {
  const each = side * side * 3
  const data = new Float32Array(images.length * each)
  const whole = { top: 0, left: 0, height: size, width: size }
  for (const [i, values] of images.entries()) {
    const small = areaMean({ values, height: size, width: size, channels: 3 }, whole, [side, side])
    for (let j = 0; j < each; j++) data[i * each + j] = small[j]! / 127.5 - 1
  }
  return float32([images.length, side, side, 3], data)
}

/** A batch as images of bytes, what is out of range cut off. float32 b y x c, [-1,1] */
export const bytesOf = ({ shape: [b = 0], data }: HostTensor): ReadonlyArray<Uint8Array> => {
  const each = data.length / b
  return Array.from({ length: b }, (_, i) =>
    Uint8Array.from(data.subarray(i * each, (i + 1) * each), (x) =>
      Math.max(0, Math.min(255, Math.round((x + 1) * 127.5))),
    ),
  )
}
