/**
 * Which keys a query of a sparse transformer sees: the definitions, slow and obvious. `sparseAttention` computes the same
 * without ever holding such a mask.
 *
 * A sequence is text, then an image in raster order. Text sees earlier text and itself; an image token sees all of the
 * text and those image tokens that its layer's pattern names. A pattern is a set of distances in raster order, none
 * negative, so that every pattern is causal, and a window that leaves the image at one side goes on in the row above:
 *
 *   row           0, 1, …, w: the previous w tokens and itself; the farthest stands right above it
 *   column        0, w, 2w, …: its own column, from itself to the top
 *   convolution   y w + x with 0 ≤ y ≤ r and −r ≤ x ≤ r, for a kernel of 2 r + 1: the half of the kernel that comes earlier
 *
 * with w the columns of the image. A window of w + 1 in column-major order would not do for the column pattern: it holds
 * tokens of the column to the left that stand below, and so come later. With the image transposed, the column pattern is
 * a causal mask for each run of tokens, which is the form that the paper computes.
 *
 * Source   Ramesh et al. 2021, appendix B.1 and figure 11; Child et al. 2019, section 4.2 (strided attention).
 * Axes     t position, s key position, y x image row and column
 */
import { BadConfig } from "@millrace/core/definitions"

/** A layer's pattern among image tokens. `kernel` is odd; the paper's is 11. */
export type SparsePattern =
  | { readonly kind: "row" }
  | { readonly kind: "column" }
  | { readonly kind: "convolution"; readonly kernel: number }

/** What a sequence consists of: `text` text tokens, then `rows` · `columns` image tokens in raster order. */
export interface SparseGrid {
  readonly text: number
  readonly rows: number
  readonly columns: number
}

const range = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)

/**
 * How far back in raster order an image token sees, in ascending order; it sees itself, at distance 0.
 * @throws BadConfig  an even kernel
 */
export const seenDistances = (pattern: SparsePattern, { rows, columns }: SparseGrid): ReadonlyArray<number> => {
  if (pattern.kind === "row") return range(0, columns)
  if (pattern.kind === "column") return range(0, rows - 1).map((y) => y * columns)
  const { kernel } = pattern
  if (!Number.isInteger(kernel) || kernel < 1 || kernel % 2 === 0) {
    throw new BadConfig({
      where: "sparse attention",
      expected: "a kernel of an odd size, so that it has a middle",
      received: `${kernel}`,
      fix: "choose 11, as in the paper, or another odd number",
    })
  }
  const r = (kernel - 1) / 2
  const distances = range(0, r).flatMap((y) => range(-r, r).map((x) => y * columns + x))
  return [...new Set(distances.filter((distance) => distance >= 0))].sort((a, b) => a - b)
}

/** True at `[t][s]` where position t sees position s, for the whole sequence of text and image. */
export const sparseMask = (pattern: SparsePattern, grid: SparseGrid): ReadonlyArray<ReadonlyArray<boolean>> => {
  const { text, rows, columns } = grid
  const distances = new Set(seenDistances(pattern, grid))
  const sees = (t: number, s: number): boolean => {
    if (t < text) return s <= t
    return s < text || distances.has(t - s)
  }
  const positions = range(0, text + rows * columns - 1)
  return positions.map((t) => positions.map((s) => sees(t, s)))
}
