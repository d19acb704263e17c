/** Passages: sentences cut into an opening, which serves as a prompt, and the rest of the sentence. */
import { artifactKind, BadData, jsonFile, jsonLinesFile, namedFiles } from "@millrace/core"
import { Effect, Schema } from "effect"
import { Count } from "../ranges.js"
import { TokenRow } from "./tokenRows.js"

export interface Passage {
  /** The opening: always the same number of tokens. */
  readonly prompt: Int32Array
  /** The rest of the sentence, ending with end-of-text. */
  readonly continuation: Int32Array
}

export interface Passages {
  readonly promptLength: number
  /** The longest continuation, end-of-text included. */
  readonly continuationLength: number
  readonly train: ReadonlyArray<Passage>
  readonly heldOut: ReadonlyArray<Passage>
}

const lengths = jsonFile(Schema.Struct({ promptLength: Count, continuationLength: Count }))
const rows = jsonLinesFile(Schema.Struct({ prompt: TokenRow, continuation: TokenRow }))

const plain = ({ prompt, continuation }: Passage) => ({ prompt: [...prompt], continuation: [...continuation] })

export const passagesKind = artifactKind(
  "passages",
  ({ promptLength, continuationLength, train, heldOut }: Passages) => ({
    "passages.json": lengths.write({ promptLength, continuationLength }),
    "train.jsonl": rows.write(train.map(plain)),
    "held-out.jsonl": rows.write(heldOut.map(plain)),
  }),
  (files) =>
    Effect.gen(function* () {
      const found = yield* namedFiles(files, "passages", ["passages.json", "train.jsonl", "held-out.jsonl"])
      const { promptLength, continuationLength } = yield* lengths.read(found["passages.json"])
      const side = (name: "train.jsonl" | "held-out.jsonl") =>
        Effect.gen(function* () {
          const read = yield* rows.read(found[name])
          const wrong = read.findIndex(
            ({ prompt, continuation }) => prompt.length !== promptLength || continuation.length > continuationLength,
          )
          if (wrong >= 0) {
            const { prompt, continuation } = read[wrong]!
            return yield* new BadData({
              where: `${found[name].where}:${wrong + 1}`,
              expected: `${promptLength} tokens and at most ${continuationLength} after them, as passages.json says`,
              received: `${prompt.length} and ${continuation.length}`,
              fix: "give the files of one artifact",
            })
          }
          return read.map(
            ({ prompt, continuation }): Passage => ({
              prompt: Int32Array.from(prompt),
              continuation: Int32Array.from(continuation),
            }),
          )
        })
      return {
        promptLength,
        continuationLength,
        train: yield* side("train.jsonl"),
        heldOut: yield* side("held-out.jsonl"),
      }
    }),
)
