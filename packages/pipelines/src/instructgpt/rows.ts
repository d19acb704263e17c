/** Prompts and answers as rows of a batch: prompt, answer, then padding up to a fixed width. */
import type { Tokenizer } from "@millrace/models"

export interface Rows {
  /** int32 b t */
  readonly tokens: Int32Array
  /** 1 where a token is real: float32 b t */
  readonly mask: Float32Array
  /** 1 where a token belongs to the answer: float32 b t */
  readonly answerMask: Float32Array
  /** Real tokens of each row: int32 b */
  readonly lengths: Int32Array
}

/** The length of the longest prompt with its answer; a loop, since a data set may have more rows than a call has arguments. */
export const widthOf = (pairs: Iterable<{ readonly prompt: Int32Array; readonly answer: Int32Array }>): number => {
  let width = 0
  for (const { prompt, answer } of pairs) width = Math.max(width, prompt.length + answer.length)
  return width
}

/** Rows of `width` tokens; what is longer is an internal error of the caller. Rows beyond the pairs given are empty. */
export const rowsOf = (
  pairs: ReadonlyArray<{ readonly prompt: Int32Array; readonly answer: Int32Array }>,
  batch: number,
  width: number,
  padding: number,
): Rows => {
  const tokens = new Int32Array(batch * width).fill(padding)
  const mask = new Float32Array(batch * width)
  const answerMask = new Float32Array(batch * width)
  const lengths = new Int32Array(batch).fill(1)
  pairs.forEach(({ prompt, answer }, i) => {
    const at = i * width
    const end = prompt.length + answer.length
    tokens.set(prompt, at)
    tokens.set(answer, at + prompt.length)
    mask.fill(1, at, at + end)
    answerMask.fill(1, at + prompt.length, at + end)
    lengths[i] = end
  })
  return { tokens, mask, answerMask, lengths }
}

/** An answer without its end-of-text, decoded. */
export const answerText = (tokenizer: Tokenizer, answer: Int32Array): string =>
  tokenizer.decode(answer.at(-1) === tokenizer.endOfText ? answer.subarray(0, -1) : answer)
