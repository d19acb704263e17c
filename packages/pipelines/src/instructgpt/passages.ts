/** Stage: the sentences of a corpus as prompts and their continuations. */
import { artifact, BadLength, defineStageNode, random, Stage, split } from "@millrace/core"
import type { Tokenizer } from "@millrace/models"
import { Effect, Schema } from "effect"
import { corpusKind, type Document } from "../artifacts/corpus.js"
import { type Passage, passagesKind } from "../artifacts/passages.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { Count } from "../ranges.js"
import { sentences } from "./sentences.js"

/** The passages of a document: its sentences that are long enough for a prompt and short enough to end in time. */
const passagesOf = (
  document: Document,
  tokenizer: Tokenizer,
  promptLength: number,
  continuationLength: number,
): ReadonlyArray<Passage> =>
  sentences(document.text).flatMap((sentence) => {
    const tokens = tokenizer.encode(sentence)
    const rest = tokens.length - promptLength
    if (rest < 4 || rest + 1 > continuationLength) return []
    return [
      {
        prompt: tokens.slice(0, promptLength),
        continuation: Int32Array.of(...tokens.subarray(promptLength), tokenizer.endOfText),
      },
    ]
  })

const opening = ({ prompt }: Passage): string => prompt.join(" ")

/** Passages whose openings differ from each other's and from those of `others`. */
const distinct = (passages: ReadonlyArray<Passage>, others: ReadonlyArray<Passage>): ReadonlyArray<Passage> => {
  const taken = new Set(others.map(opening))
  return [...new Map(passages.map((passage) => [opening(passage), passage])).entries()]
    .filter(([key]) => !taken.has(key))
    .map(([, passage]) => passage)
}

export const passagesStage = defineStageNode({
  type: "instructgpt.passages",
  version: 1,
  config: Schema.Struct({
    /** Tokens of a prompt. */
    promptLength: Count,
    /** Tokens of the longest continuation, end-of-text included. */
    continuationLength: Count,
    /** How many to take of each side at most. */
    train: Count,
    heldOut: Count,
  }),
  ports: {
    in: { corpus: artifact(corpusKind), tokenizer: artifact(tokenizerKind) },
    out: artifact(passagesKind),
  },
  outline: ({ promptLength, continuationLength }) => ({ sizes: { promptLength, continuationLength } }),
  run: ({ promptLength, continuationLength, train, heldOut }, { corpus, tokenizer }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const side = (
        documents: ReadonlyArray<Document>,
        limit: number,
        name: string,
        others: ReadonlyArray<Passage> = [],
      ) =>
        Effect.gen(function* () {
          const all: Array<Passage> = []
          for (const document of documents) {
            all.push(...passagesOf(document, tokenizer, promptLength, continuationLength))
            yield* Effect.yieldNow
          }
          const passages = distinct(all, others)
          if (passages.length === 0) {
            return yield* new BadLength({
              where: `instructgpt.passages > ${name}`,
              expected: `sentences of ${promptLength + 4} to ${promptLength + continuationLength - 1} tokens`,
              received: `none in ${documents.length} documents`,
              fix: "give a larger corpus, or change promptLength and continuationLength",
            })
          }
          const order = random.choose(split(key, name), passages.length, Math.min(limit, passages.length))
          return [...order].map((i) => passages[i]!)
        })
      const toLearn = yield* side(corpus.train, train, "train")
      const chosen = {
        promptLength,
        continuationLength,
        train: toLearn,
        // No prompt that a policy is judged by is one that it has learnt from.
        heldOut: yield* side(corpus.heldOut, heldOut, "held out", toLearn),
      }
      yield* emit({
        type: "stage.note",
        text: `${chosen.train.length} sentences to learn from, ${chosen.heldOut.length} held out`,
      })
      return chosen
    }),
})
