/** The crops that upsamplers are trained on. */
import { type HostTensor, type Key, random, ShapeMismatch, split } from "@millrace/core"

/** Images, and smaller ones of the same scenes. */
export interface Pairs {
  /** float32  b (s r) (s q) c */
  readonly large: HostTensor
  /** float32  b r q c */
  readonly small: HostTensor
}

const cut = (x: HostTensor, corners: ReadonlyArray<readonly [y: number, x: number]>, rows: number, columns: number) => {
  const [b = 0, height = 0, width = 0, c = 0] = x.shape
  const data = new Float32Array(b * rows * columns * c)
  for (let i = 0; i < b; i++) {
    const [top, left] = corners[i]!
    for (let row = 0; row < rows; row++) {
      const from = ((i * height + top + row) * width + left) * c
      data.set((x.data as Float32Array).subarray(from, from + columns * c), (i * rows + row) * columns * c)
    }
  }
  return { dtype: "float32", shape: [b, rows, columns, c], data } as const
}

/**
 * The same random place of each pair, its sides a quarter of the images' unless told otherwise. Corners fall on whole
 * pixels of the small image, so that the two crops show the same.
 * @param share  of the sides; its inverse divides the small image's
 * @throws ShapeMismatch  the sides of the images are not in one whole ratio, or do not divide
 * @law          the crops of an image and of its enlargement are again a crop and its enlargement
 * @source       Ramesh et al. 2022, appendix C: upsamplers are convolutional, and trained on quarters of the target
 */
export const alignedCrops = (pairs: Pairs, key: Key, share = 1 / 4): Pairs => {
  const [b = 0, r = 0, q = 0] = pairs.small.shape
  const [many = 0, y = 0, x = 0] = pairs.large.shape
  const scale = y / r
  const [rows, columns] = [r * share, q * share]
  if (
    many !== b ||
    !Number.isInteger(scale) ||
    x !== scale * q ||
    !Number.isInteger(rows) ||
    !Number.isInteger(columns)
  ) {
    throw new ShapeMismatch({
      where: "alignedCrops",
      expected: `as many images, their sides in one whole ratio, and the small sides multiples of ${1 / share}`,
      received: `large [${pairs.large.shape.join(", ")}], small [${pairs.small.shape.join(", ")}]`,
      fix: "resize the images, or take another share",
    })
  }
  const tops = random.integers(split(key, "y"), [b], 0, r - rows + 1).data
  const lefts = random.integers(split(key, "x"), [b], 0, q - columns + 1).data
  const corners = Array.from({ length: b }, (_, i) => [tops[i]!, lefts[i]!] as const)
  const enlarged = corners.map(([top, left]) => [top * scale, left * scale] as const)
  return {
    large: cut(pairs.large, enlarged, rows * scale, columns * scale),
    small: cut(pairs.small, corners, rows, columns),
  }
}
