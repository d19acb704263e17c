/** Captions as the text of a sparse transformer: their tokens, and a mask, since padding is the model's own. */
import { float32, type HostTensors, int32 } from "@millrace/core"
import type { BpeDropout, Tokenizer } from "@millrace/models"
import { captionText } from "../captions/captionText.js"

/** A caption's tokens, the first `text` of them. */
export const captionTokens = (
  tokenizer: Tokenizer,
  caption: string,
  text: number,
  dropout?: BpeDropout,
): ReadonlyArray<number> => [
  ...tokenizer.encode(captionText(caption), dropout === undefined ? {} : { dropout }).subarray(0, text),
]

/** Rows of tokens with their mask. `tokens` int32 b t, `mask` float32 b t */
export const captionBatch = (rows: ReadonlyArray<ReadonlyArray<number>>, text: number): HostTensors => {
  const tokens = new Int32Array(rows.length * text)
  const mask = new Float32Array(rows.length * text)
  for (const [i, row] of rows.entries()) {
    tokens.set(row, i * text)
    mask.fill(1, i * text, i * text + row.length)
  }
  const shape = [rows.length, text]
  return { tokens: int32(shape, tokens), mask: float32(shape, mask) }
}
