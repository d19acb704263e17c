/** Sparse attention as dense attention under a mask, grids and patterns to try it on, and the model in plain loops. */
import {
  attention,
  type SparseBlocks,
  type SparseConfig,
  type SparseGrid,
  type SparsePattern,
  sparseMask,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { type FlatParams, referenceBlocks, referenceProducts } from "./gpt.js"

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

/** A caption shorter than the text, and an image. */
export interface Example {
  /** Tokens of the caption alone. */
  readonly caption: ReadonlyArray<number>
  readonly codes: ReadonlyArray<number>
}

/** Logits in plain loops and float64: `text` `[t][v]`, `image` `[s][k]`. */
export const referenceSparse = (config: SparseConfig, p: FlatParams, { caption, codes }: Example) => {
  const { text, columns, width: d, layers, textVocab, kernel = 11 } = config
  const row = (name: string, i: number): Array<number> => [...p[name]!.subarray(i * d, (i + 1) * d)]
  const add = (...rows: ReadonlyArray<Array<number>>): Array<number> =>
    rows.reduce((sum, each) => sum.map((v, i) => v + each[i]!))
  const words = Array.from({ length: text }, (_, t) =>
    add(row("text.token", caption[t] ?? textVocab + t), row("text.position", t)),
  )
  const image = codes.map((code, s) =>
    add(row("image.token", code), row("image.row", Math.floor(s / columns)), row("image.column", s % columns)),
  )
  const r = (kernel - 1) / 2
  const near = (layer: number, i: number, j: number): boolean => {
    if (layer === layers - 1) {
      // A place of the kernel, whose x goes on in the next row where it leaves this one.
      for (let y = -r; y <= 0; y++) for (let x = -r; x <= r; x++) if (i + y * columns + x === j) return true
      return false
    }
    return layer % 4 === 1 ? i % columns === j % columns : i - j <= columns
  }
  const x = referenceBlocks(config, p, [...words, ...image], (layer, t, s) => {
    if (s > t) return false
    return s < text || near(layer, t - text, s - text)
  })
  return {
    text: referenceProducts(x.slice(0, text), p["unembedding.text"]!),
    image: referenceProducts(x.slice(text - 1, -1), p["unembedding.image"]!),
  }
}
