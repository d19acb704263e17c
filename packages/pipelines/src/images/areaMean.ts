/**
 * Resizing by area: each pixel of the result is the mean of what it covers, so nothing aliases, a constant stays constant
 * and the mean of all pixels is kept. Enlarging repeats pixels.
 *
 * Stored values are averaged as they are, without a way over linear light: so do the reference preprocessings of CLIP and
 * DALL·E, and means of stored values are what losses and PSNR are taken of.
 */

/** A part of an image, in pixels; its edges may lie within pixels. */
export interface Box {
  readonly top: number
  readonly left: number
  readonly height: number
  readonly width: number
}

/** What each place of a line covers: the first pixel, and each pixel's share of the whole. */
interface Coverage {
  readonly first: number
  readonly shares: ReadonlyArray<number>
}

const coverage = (start: number, length: number, places: number, pixels: number): ReadonlyArray<Coverage> => {
  const step = length / places
  return Array.from({ length: places }, (_, i) => {
    const [from, to] = [start + i * step, start + (i + 1) * step]
    const first = Math.min(Math.floor(from), pixels - 1)
    const last = Math.min(Math.max(Math.ceil(to) - 1, first), pixels - 1)
    const shares = Array.from({ length: last - first + 1 }, (_, j) =>
      Math.max(0, Math.min(to, first + j + 1) - Math.max(from, first + j)),
    )
    const all = shares.reduce((sum, share) => sum + share, 0)
    return { first, shares: shares.map((share) => share / all) }
  })
}

/**
 * A box of an image at another size.
 * @param values  y x c    of `height` rows and `width` columns
 * @param size    rows and columns of the result
 * @returns       y x c    means, not rounded
 */
export const areaMean = (
  {
    values,
    height,
    width,
    channels,
  }: {
    readonly values: ArrayLike<number>
    readonly height: number
    readonly width: number
    readonly channels: number
  },
  box: Box,
  size: readonly [y: number, x: number],
): Float64Array => {
  const rows = coverage(box.top, box.height, size[0], height)
  const columns = coverage(box.left, box.width, size[1], width)
  const result = new Float64Array(size[0] * size[1] * channels)
  const line = new Float64Array(width * channels)
  for (let y = 0; y < size[0]; y++) {
    const row = rows[y]!
    line.fill(0)
    for (let j = 0; j < row.shares.length; j++) {
      const share = row.shares[j]!
      const start = (row.first + j) * width * channels
      for (let i = 0; i < line.length; i++) line[i]! += share * values[start + i]!
    }
    for (let x = 0; x < size[1]; x++) {
      const { first, shares } = columns[x]!
      const to = (y * size[1] + x) * channels
      for (let j = 0; j < shares.length; j++) {
        const share = shares[j]!
        const from = (first + j) * channels
        for (let c = 0; c < channels; c++) result[to + c]! += share * line[from + c]!
      }
    }
  }
  return result
}

/** Means as bytes. */
export const rounded = (means: Float64Array): Uint8Array => {
  const bytes = new Uint8Array(means.length)
  for (let i = 0; i < means.length; i++) bytes[i] = Math.round(means[i]!)
  return bytes
}
