/** Images between data sets, which have bytes, and models, which have numbers of [0, 1]. */
import { float32, type HostTensor } from "@millrace/core"

/** Images of `size` rows and columns as one batch; what is missing of `count` repeats the last one. float32 b y x c */
export const imageBatch = (
  images: ReadonlyArray<{ readonly pixels: Uint8Array }>,
  count: number,
  size: number,
): HostTensor => {
  const each = size * size * 3
  const data = new Float32Array(count * each)
  for (let i = 0; i < count; i++) {
    const { pixels } = images[Math.min(i, images.length - 1)]!
    for (let j = 0; j < each; j++) data[i * each + j] = pixels[j]! / 255
  }
  return float32([count, size, size, 3], data)
}

/** The first `count` images of a batch as bytes. */
export const imageBytes = ({ data, shape }: HostTensor, count: number): ReadonlyArray<Uint8Array> => {
  const each = shape.slice(1).reduce((n, size) => n * size, 1)
  return Array.from({ length: count }, (_, i) =>
    Uint8Array.from(data.subarray(i * each, (i + 1) * each), (x) => Math.round(255 * x)),
  )
}
