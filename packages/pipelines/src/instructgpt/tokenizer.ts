/** Stage: a byte-level BPE vocabulary learnt from a corpus. */
import { artifact, BadLength, defineStageNode, Stage } from "@millrace/core"
import { trainBpe } from "@millrace/models"
import { Effect, Schema } from "effect"
import { corpusKind } from "../artifacts/corpus.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { Count } from "../ranges.js"

export const tokenizerStage = defineStageNode({
  type: "instructgpt.tokenizer",
  version: 1,
  source: "Radford et al. 2019, section 2.2: byte-level BPE",
  config: Schema.Struct({
    /** Bytes, merges and end-of-text together. */
    vocab: Count,
    /** Characters of the corpus to learn merges from, taken evenly from its documents. */
    characters: Count,
  }),
  ports: { in: { corpus: artifact(corpusKind) }, out: artifact(tokenizerKind) },
  outline: ({ vocab }) => ({ sizes: { vocab } }),
  run: ({ vocab, characters }, { corpus }) =>
    Effect.gen(function* () {
      const { emit } = yield* Stage
      const total = corpus.train.reduce((n, { text }) => n + text.length, 0)
      if (total < 1000) {
        return yield* new BadLength({
          where: "instructgpt.tokenizer",
          expected: "a corpus of at least 1,000 characters to learn a vocabulary from",
          received: `${total} characters in ${corpus.train.length} documents`,
          fix: "give a larger corpus",
        })
      }
      const share = Math.min(1, characters / total)
      const texts = corpus.train.map(({ text }) => text.slice(0, Math.ceil(text.length * share)))
      const tokenizer = yield* trainBpe(texts, { vocab })
      yield* emit({
        type: "stage.note",
        text: `${tokenizer.size} tokens from ${Math.round(share * 100)} % of the text`,
      })
      return tokenizer
    }),
})
