/** Sparse attention as dense attention under a mask, and grids and patterns to try it on. */
import { attention, type SparseBlocks, type SparseGrid, type SparsePattern, sparseMask } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

export const grids = (text: number, side: number): fc.Arbitrary<SparseGrid> =>
  fc.record({
    text: fc.integer({ min: 1, max: text }),
    rows: fc.integer({ min: 1, max: side }),
    columns: fc.integer({ min: 1, max: side }),
  })

export const patterns: fc.Arbitrary<SparsePattern> = fc.oneof(
  fc.constant<SparsePattern>({ kind: "row" }),
  fc.constant<SparsePattern>({ kind: "column" }),
  fc.constantFrom(1, 3, 5, 7, 11).map((kernel): SparsePattern => ({ kind: "convolution", kernel })),
)

/** All scores of all pairs, and −10⁹ where the mask is false. */
export const denseAttention = (blocks: SparseBlocks, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor => {
  const mask = sparseMask(blocks.pattern, blocks.grid)
  const bias = tf.tensor(
    mask.flatMap((row) => row.map((seen) => (seen ? 0 : -1e9))),
    [mask.length, mask.length],
  )
  return attention(q, k, v, bias)
}
