/** Stage: demonstrations, the passages whose continuation the labeler likes best. */
import { artifact, artifactKind, BadLength, defineStageNode, jsonFile, namedFiles, Stage } from "@millrace/core"
import { Effect, Schema } from "effect"
import { labelerKind } from "../artifacts/labeler.js"
import { type Passage, passagesKind } from "../artifacts/passages.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { TokenRow } from "../artifacts/tokenRows.js"
import { Fraction } from "../ranges.js"

const rows = jsonFile(Schema.Array(Schema.Tuple([TokenRow, TokenRow])))

export const demonstrationsKind = artifactKind(
  "demonstrations",
  (passages: ReadonlyArray<Passage>) => ({
    "demonstrations.json": rows.write(
      passages.map(({ prompt, continuation }) => [[...prompt], [...continuation]] as const),
    ),
  }),
  (files) =>
    Effect.gen(function* () {
      const found = yield* namedFiles(files, "demonstrations", ["demonstrations.json"])
      const read = yield* rows.read(found["demonstrations.json"])
      return read.map(([prompt, continuation]) => ({
        prompt: Int32Array.from(prompt),
        continuation: Int32Array.from(continuation),
      }))
    }),
)

export const demonstrationsStage = defineStageNode({
  type: "instructgpt.demonstrations",
  version: 1,
  source: "Ouyang et al. 2022, section 3.2: demonstrations; here real passages chosen by a simulated labeler",
  config: Schema.Struct({
    /** The share of passages, best first, that serve as demonstrations. */
    share: Fraction,
  }),
  ports: {
    in: { passages: artifact(passagesKind), tokenizer: artifact(tokenizerKind), labeler: artifact(labelerKind) },
    out: artifact(demonstrationsKind),
  },
  outline: (_, { sizes }) => ({ sizes: sizes("passages") }),
  run: ({ share }, { passages, tokenizer, labeler }) =>
    Effect.gen(function* () {
      const { emit } = yield* Stage
      const scored = passages.train.map((passage) => ({
        passage,
        gold: labeler.score(tokenizer.decode(passage.continuation.subarray(0, -1))),
      }))
      const mean = (rows: typeof scored): number => rows.reduce((sum, { gold }) => sum + gold, 0) / rows.length
      // A stable sort, so that equal scores keep the order of the (already shuffled) passages.
      const best = [...scored].sort((a, b) => b.gold - a.gold).slice(0, Math.floor(scored.length * share))
      if (best.length === 0) {
        return yield* new BadLength({
          where: "instructgpt.demonstrations",
          expected: "at least one demonstration",
          received: `a share of ${share} of ${scored.length} passages`,
          fix: "raise the share, or give more passages",
        })
      }
      yield* emit({
        type: "stage.note",
        text: `${best.length} of ${scored.length} passages: mean gold score ${mean(best).toFixed(2)} against ${mean(scored).toFixed(2)}`,
      })
      return best.map(({ passage }) => passage)
    }),
})
