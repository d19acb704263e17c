/** Captions as unCLIP's networks take them. */
import { float32, type HostTensor } from "@millrace/core"
import type { Tokenizer } from "@millrace/models"
import { captionRows } from "../captions/rows.js"

export interface CaptionRows {
  /** int32  n t */
  readonly text: HostTensor
  /** 1 for a caption's tokens, its end included, 0 for padding.  float32  n t */
  readonly mask: HostTensor
}

/** @law the mask of a row is 1 up to its end of text, and 0 after it */
export const captionInputs = (
  tokenizer: Pick<Tokenizer, "encode" | "endOfText">,
  captions: ReadonlyArray<string>,
  context: number,
): CaptionRows => {
  const text = captionRows(tokenizer, captions, context)
  const mask = new Float32Array(text.data.length)
  for (let row = 0; row < captions.length; row++) {
    const end = text.data.indexOf(tokenizer.endOfText, row * context)
    mask.fill(1, row * context, end + 1)
  }
  return { text, mask: float32([captions.length, context], mask) }
}
