/** What the judge sees in reconstructions of images: the most that samples can reach. */
import { Engine, type EngineError } from "@millrace/core"
import { Effect } from "effect"
import type { ImageSet } from "../artifacts/captionedImages.js"
import type { DiscreteVae } from "../artifacts/discreteVae.js"
import type { Table } from "../artifacts/evaluation.js"
import type { Judge, Verdict } from "../artifacts/judge.js"
import { share, shownShare } from "../share.js"
import { spread } from "../spread.js"
import { answer, questions } from "./questions.js"
import { openReconstruction } from "./reconstruct.js"

/** @param tell  the judge, opened */
export const reconstructedTable = (
  judge: Judge,
  tell: (images: ReadonlyArray<Uint8Array>) => Effect.Effect<ReadonlyArray<Verdict>, EngineError>,
  dvae: DiscreteVae,
  set: ImageSet,
  count: number,
) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const rows = yield* set.read(spread(set.count, count))
    const reconstruct = yield* openReconstruction(dvae.config, Math.min(64, rows.length))
    const verdicts = yield* tell((yield* reconstruct(yield* engine.allocate(dvae.params), rows)).decoded)
    const table: Table = {
      title: `The judge on reconstructions of ${rows.length} training images, the most that samples can reach`,
      columns: ["right", "images", "share"],
      rows: questions.flatMap((question) => {
        const answers = rows.flatMap((row, i) => answer(judge, row, verdicts[i]!, question) ?? [])
        if (answers.length === 0) return []
        return [[question.name, answers.length, shownShare(share(answers.filter(Boolean).length, answers.length))]]
      }),
    }
    return table
  })
