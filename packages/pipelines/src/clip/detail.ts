/** Detail: what an image has beyond its own blur, outlines and shading above all. */

/**
 * An image with more or less of its detail.
 * @param pixels  y x c, `size` each way
 * @param amount  what the detail is multiplied with: 0 blurs over 3 × 3 places, 1 changes nothing, more sharpens
 * @returns       y x c, in the unit of `pixels` and not cut to its range
 */
export const withDetail = (pixels: Uint8Array, size: number, amount: number): Float32Array => {
  const width = size * 3
  const rows = new Uint16Array(pixels.length) // Sums over three neighbours of a row.
  for (let i = 0; i < pixels.length; i++) {
    const along = i % width
    rows[i] = pixels[along < 3 ? i : i - 3]! + pixels[i]! + pixels[along >= width - 3 ? i : i + 3]!
  }
  const out = new Float32Array(pixels.length)
  for (let i = 0; i < out.length; i++) {
    const mean = (rows[i < width ? i : i - width]! + rows[i]! + rows[i + width < rows.length ? i + width : i]!) / 9
    out[i] = mean + amount * (pixels[i]! - mean)
  }
  return out
}
