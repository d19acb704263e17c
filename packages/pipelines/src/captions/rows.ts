/** Captions as the rows that text towers and captioned transformers take. */
import { type HostTensor, int32 } from "@millrace/core"
import type { Tokenizer } from "@millrace/models"
import { captionText } from "./captionText.js"

/**
 * Captions as rows of `context` tokens: the caption's own, end of text, and zeros after it. Of a caption that is too long the
 * first tokens stay, and the end. The end is the largest token of a tokenizer of `captionTokenizerStage`, which is where
 * CLIP's text tower is read.
 *
 * Differs  CLIP begins each row with a token of its own; here a text begins with its first word.
 * @returns int32  b t
 * @law     each row holds the end of text once, nothing but zeros after it, and nothing larger before it
 */
export const captionRows = (
  { encode, endOfText }: Pick<Tokenizer, "encode" | "endOfText">,
  captions: ReadonlyArray<string>,
  context: number,
): HostTensor => {
  const data = new Int32Array(captions.length * context)
  for (const [i, caption] of captions.entries()) {
    const tokens = encode(captionText(caption)).subarray(0, context - 1)
    data.set(tokens, i * context)
    data[i * context + tokens.length] = endOfText
  }
  return int32([captions.length, context], data)
}
