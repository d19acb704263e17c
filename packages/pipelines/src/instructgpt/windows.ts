/** A corpus as one stream of tokens, and batches of windows of it. */
import { BadLength, type HostTensors, int32, type Key, random, split } from "@millrace/core"
import type { Tokenizer } from "@millrace/models"
import { Effect } from "effect"
import type { Document } from "../artifacts/corpus.js"

/** All documents as tokens, each ended by end-of-text. Lets other work run between documents. */
export const tokenStream = (documents: ReadonlyArray<Document>, tokenizer: Tokenizer): Effect.Effect<Int32Array> =>
  Effect.gen(function* () {
    const parts: Array<Int32Array> = []
    let length = 0
    for (const { text } of documents) {
      const tokens = tokenizer.encode(text)
      parts.push(tokens)
      length += tokens.length + 1
      yield* Effect.yieldNow
    }
    const stream = new Int32Array(length)
    let at = 0
    for (const part of parts) {
      stream.set(part, at)
      stream[at + part.length] = tokenizer.endOfText
      at += part.length + 1
    }
    return stream
  })

/** Fails where a stream is too short for one window. */
export const requireWindow = (stream: Int32Array, window: number, where: string): Effect.Effect<void, BadLength> =>
  stream.length > window
    ? Effect.void
    : new BadLength({
        where,
        expected: `a corpus of more than ${window} tokens, one window`,
        received: `${stream.length} tokens`,
        fix: "give a larger corpus, or a model with a shorter context",
      })

/** `batch` windows of a stream at places that depend on the key and the step alone: int32 b t. */
export const windowBatch = (stream: Int32Array, batch: number, window: number, key: Key, step: number): HostTensors => {
  const starts = random.integers(split(key, step), [batch], 0, stream.length - window + 1).data
  const tokens = new Int32Array(batch * window)
  starts.forEach((start, i) => {
    tokens.set(stream.subarray(start, start + window), i * window)
  })
  return { tokens: int32([batch, window], tokens) }
}
