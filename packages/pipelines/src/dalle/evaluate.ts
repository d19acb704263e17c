/** Stage: the score of the best candidate against their number, and what a judge sees in it. */
import { artifact, defineStageNode, Stage } from "@millrace/core"
import { Effect, Schema } from "effect"
import { rankedCandidatesKind } from "../artifacts/candidates.js"
import { captionedImagesKind } from "../artifacts/captionedImages.js"
import { discreteVaeKind } from "../artifacts/discreteVae.js"
import { type Evaluation, evaluationKind, type Table } from "../artifacts/evaluation.js"
import { judgeKind } from "../artifacts/judge.js"
import { showImages } from "../images/showImages.js"
import { Count, CountOrZero } from "../ranges.js"
import { bestOfEach } from "./bestOf.js"
import { curveOf, curveTable, riseText } from "./curveTable.js"
import { halvesTable } from "./halvesTable.js"
import { answer, everything, questions } from "./questions.js"
import { reconstructedTable } from "./reconstructedTable.js"
import { type Answers, hits, seenTable } from "./seenTable.js"

/** Images of two things are looked for in so many times as many as are reconstructed: not every image has two. */
const HALVES = 4

export const evaluateDalleStage = defineStageNode({
  type: "dalle.evaluate",
  version: 1,
  source: "Ramesh et al. 2021, section 2.6 and figure 6",
  config: Schema.Struct({
    /** Captions of each group whose best candidate is shown. */
    shown: CountOrZero,
    /** Training images whose reconstructions are judged: the most that samples can reach. */
    reconstructions: Count,
  }),
  ports: {
    in: {
      ranked: artifact(rankedCandidatesKind),
      judge: artifact(judgeKind),
      dvae: artifact(discreteVaeKind),
      images: artifact(captionedImagesKind),
    },
    out: artifact(evaluationKind),
  },
  run: ({ shown, reconstructions }, { ranked, judge, dvae, images }) =>
    Effect.gen(function* () {
      const { emit } = yield* Stage
      const tell = yield* judge.open()
      const metrics: Record<string, number> = {}
      const tables: Array<Table> = []
      const own = yield* reconstructedTable(judge, tell, dvae, images.train, reconstructions)
      const halves = yield* halvesTable(judge, tell, images.train, images.size, HALVES * reconstructions)
      for (const table of [own, ...(halves === undefined ? [] : [halves])]) {
        tables.push(table)
        yield* emit({ type: "stage.table", ...table })
      }
      const samples: Array<ReadonlyArray<string>> = []
      for (const [group, rows] of Object.entries(ranked.groups)) {
        const bests = rows.map(bestOfEach)
        const sizes = bests[0]!.map(({ n }) => n)
        const most = sizes.at(-1)!
        const verdicts = yield* tell(bests.flat().map(({ candidate }) => candidate.pixels))
        const verdictOf = (row: number, i: number) => verdicts[row * sizes.length + i]!

        const right = rows.map(({ request }, row) =>
          sizes.map((_, i) => answer(judge, request, verdictOf(row, i), everything)),
        )
        const curve = curveOf(bests, right)
        for (const { n, score, rise } of curve) {
          metrics[`${group}.score.${n}`] = score.mean
          if (rise !== undefined) metrics[`${group}.rise.${n}`] = rise.mean
        }
        const { table, lines } = curveTable(group, rows.length, ranked.scorer, curve)
        tables.push(table)
        yield* emit({ type: "stage.table", ...table, curve: lines })
        if (sizes.length > 1) yield* emit({ type: "stage.note", text: `${group}: ${riseText(curve)}` })

        const answers = questions.flatMap((question): ReadonlyArray<Answers> => {
          const asked = rows.flatMap(({ request }, row) => {
            const told = sizes.flatMap((_, i) => answer(judge, request, verdictOf(row, i), question) ?? [])
            return told.length === 0 ? [] : [told]
          })
          return asked.length === 0 ? [] : [{ question: question.name, right: asked }]
        })
        for (const each of answers) {
          for (const [i, n] of sizes.entries()) {
            metrics[`${group}.${each.question}.${n}`] = hits(each, i) / each.right.length
          }
          metrics[`${group}.${each.question}.count`] = hits(each, sizes.length - 1)
        }
        if (answers.length > 0) {
          const seen = seenTable(group, sizes, answers)
          tables.push(seen)
          yield* emit({ type: "stage.table", ...seen })
        }

        const best = bests.map((row) => row.at(-1)!)
        for (const [row, { request }] of best.entries()) {
          const verdict = verdictOf(row, sizes.length - 1)
          samples.push([group, request.caption, judge.facts.map((fact) => `${fact} ${verdict[fact]}`).join(", ")])
        }
        const tiles = best
          .slice(0, shown)
          .map(({ candidate, request }) => ({ pixels: candidate.pixels, text: request.caption }))
        if (tiles.length > 0) {
          yield* showImages({
            title: `Best of ${most}: ${group}`,
            size: [ranked.size, ranked.size],
            columns: Math.min(8, tiles.length),
            tiles,
          })
        }
      }
      const columns = ["captions", "caption", `the judge on the best, by ${judge.source}`]
      yield* emit({ type: "stage.samples", columns, rows: samples })
      return { metrics, tables, samples: { columns, rows: samples } } satisfies Evaluation
    }),
})
