/**
 * A sparse pattern cut into blocks: some whole lines of the image as queries, and all image tokens that any of them
 * sees as keys, so that every block is one small matrix product. Lines are columns for the column pattern, else rows.
 * Axes   y x image row and column
 */
import { unseen } from "./attention.js"
import { type SparseGrid, type SparsePattern, seenDistances } from "./sparseMasks.js"

/** Image tokens are named by their place in raster order, slots by `block · keys + place in the block`. */
export interface SparseBlocks {
  readonly grid: SparseGrid
  readonly pattern: SparsePattern
  /** Number of blocks, queries in each, keys in each. */
  readonly count: number
  readonly queries: number
  readonly keys: number
  /** The queries of all blocks, one block after the other. */
  readonly order: Int32Array
  /** For each image token, where it stands in `order`. */
  readonly place: Int32Array
  /** The key in each slot. A block with fewer keys than others ends in slots that no query sees. */
  readonly keyAt: Int32Array
  /** What is added to scores: 0 where the query sees the key. `count · queries · keys` */
  readonly bias: Float32Array
  /** For each query in order, where its own key stands among the scores of all blocks. */
  readonly self: Int32Array
  /** For each image token its first slot, for each its second, …; a slot that no query sees where there are fewer. */
  readonly slots: ReadonlyArray<Int32Array>
}

/**
 * Queries of a block, at most, where it holds more than one line. Larger blocks compute more scores that are masked,
 * smaller ones are slow matrix products and copy their keys more often.
 */
const largest = { row: 32, column: 32, convolution: 64 } as const

/** The most lines a block that divide their number and stay within `queries`; at least one. */
const linesOf = (lines: number, length: number, queries: number): number => {
  for (let each = Math.min(lines, Math.floor(queries / length)); each > 1; each--) if (lines % each === 0) return each
  return 1
}

/** The blocks of a pattern: made once, for any number of layers. */
export const sparseBlocks = (grid: SparseGrid, pattern: SparsePattern): SparseBlocks => {
  const { rows, columns } = grid
  const size = rows * columns
  const distances = seenDistances(pattern, grid)
  const turned = pattern.kind === "column"
  const [lines, length] = turned ? [columns, rows] : [rows, columns]
  const queries = length * linesOf(lines, length, largest[pattern.kind])
  const count = size / queries

  const order = Int32Array.from({ length: size }, (_, i) => (turned ? (i % rows) * columns + Math.floor(i / rows) : i))
  const place = new Int32Array(size)
  order.forEach((token, i) => {
    place[token] = i
  })
  const seenBy = (token: number): ReadonlyArray<number> =>
    distances.filter((distance) => distance <= token).map((distance) => token - distance)
  const keysOf = Array.from({ length: count }, (_, c) => {
    const seen = new Set([...order.subarray(c * queries, (c + 1) * queries)].flatMap(seenBy))
    return [...seen].sort((a, b) => a - b)
  })

  const most = Math.max(...keysOf.map((each) => each.length))
  const uses = Array.from({ length: size }, () => 0)
  for (const token of keysOf.flat()) uses[token]!++
  const deepest = Math.max(...uses)
  // Tokens that stand in fewer blocks than others need a slot without a gradient to point at.
  const needed = uses.some((n) => n < deepest) && keysOf.every((each) => each.length === most)
  const keys = needed ? most + 1 : most
  const shortest = keysOf.findIndex((each) => each.length < keys)
  const nowhere = shortest < 0 ? 0 : shortest * keys + keysOf[shortest]!.length

  const keyAt = new Int32Array(count * keys)
  const bias = new Float32Array(count * queries * keys).fill(unseen)
  const self = new Int32Array(size)
  const slots = Array.from({ length: deepest }, () => new Int32Array(size).fill(nowhere))
  const found = new Int32Array(size)
  keysOf.forEach((tokens, c) => {
    const slotOf = new Map(tokens.map((token, i) => [token, i]))
    for (const [token, i] of slotOf) {
      keyAt[c * keys + i] = token
      slots[found[token]!++]![token] = c * keys + i
    }
    for (let i = c * queries; i < (c + 1) * queries; i++) {
      for (const token of seenBy(order[i]!)) bias[i * keys + slotOf.get(token)!] = 0
      self[i] = i * keys + slotOf.get(order[i]!)!
    }
  })
  return { grid, pattern, count, queries, keys, order, place, keyAt, bias, self, slots }
}
