/** Stage: the score of the best candidate against their number, and what a judge sees in it. */
import { artifact, defineStageNode, Engine, type EngineError, Stage } from "@millrace/core"
import { Effect, Schema } from "effect"
import { type RankedDrawn, rankedCandidatesKind } from "../artifacts/candidates.js"
import { captionedImagesKind, type ImageSet } from "../artifacts/captionedImages.js"
import { type DiscreteVae, discreteVaeKind } from "../artifacts/discreteVae.js"
import { type Evaluation, evaluationKind, type Table } from "../artifacts/evaluation.js"
import { type Judge, judgeKind, type Verdict } from "../artifacts/judge.js"
import { showImages } from "../images/showImages.js"
import { Count, CountOrZero } from "../ranges.js"
import { spread } from "../spread.js"
import { rounded } from "../statistics.js"
import { expectedBest, ranking } from "./bestOf.js"
import { openReconstruction } from "./reconstruct.js"

/** A caption's candidates with what the judge tells of each. */
interface Judged extends RankedDrawn {
  readonly verdicts: ReadonlyArray<Verdict>
}

/** What is asked of a picture: what must be equal in the caption and in the picture, and of which captions it is asked. */
interface Question {
  readonly name: string
  readonly of: (shown: Verdict) => ReadonlyArray<unknown>
  readonly asked: (expected: Verdict) => boolean
}

/** Both things of a picture, in an order that does not depend on their places. */
const things = (of: (place: "" | "2") => string): ReadonlyArray<string> => [of(""), of("2")].sort()

const known = (name: string) => (expected: Verdict) => expected[name] !== undefined && expected[name] !== "none"

const questions: ReadonlyArray<Question> = [
  { name: "colours", of: (v) => things((at) => `${v[`colour${at}`]}`), asked: known("colour") },
  { name: "objects", of: (v) => things((at) => `${v[`object${at}`]}`), asked: known("object") },
  {
    name: "each object in its colour",
    of: (v) => things((at) => `${v[`colour${at}`]} ${v[`object${at}`]}`),
    asked: known("object"),
  },
  // Two things are told apart by their colours, whatever became of their shapes: which colour is where is their relation.
  {
    name: "relation",
    of: (v) => [v.relation, v.colour, v.colour2],
    asked: (expected) => known("relation")(expected) && expected.colour !== expected.colour2,
  },
]

/** 1, 2, 4, … up to the number of candidates, which comes last. */
const doublings = (most: number): ReadonlyArray<number> => {
  const counts: Array<number> = []
  for (let n = 1; n < most; n *= 2) counts.push(n)
  return [...counts, most]
}

/** For each candidate, 1 where it shows what the caption says and 0 where not; undefined where that is not asked. */
const answers = (
  judge: Judge,
  { request, verdicts }: Pick<Judged, "request" | "verdicts">,
  { of, asked }: Question,
) => {
  const expected = request.facts === undefined ? {} : judge.expected(request.facts)
  if (!asked(expected)) return undefined
  const wanted = of(expected).join()
  return verdicts.map((verdict) => (of(verdict).join() === wanted ? 1 : 0))
}

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, v) => sum + v, 0) / values.length

/** What the judge sees in reconstructions of images: the most that samples can reach. */
const reconstructedShares = (
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
        const right = rows.flatMap(({ captions, facts = {} }, i) => {
          const request = { caption: captions[0]!, facts }
          return answers(judge, { request, verdicts: [verdicts[i]!] }, question) ?? []
        })
        return right.length === 0 ? [] : [[question.name, right.length, `${(100 * mean(right)).toFixed(1)} %`]]
      }),
    }
    return table
  })

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
      const own = yield* reconstructedShares(judge, tell, dvae, images.train, reconstructions)
      tables.push(own)
      yield* emit({ type: "stage.table", ...own })
      const samples: Array<ReadonlyArray<string>> = []
      for (const [group, rows] of Object.entries(ranked.groups)) {
        const judged: Array<Judged> = []
        for (const row of rows) {
          judged.push({ ...row, verdicts: yield* tell(row.candidates.map(({ pixels }) => pixels)) })
        }
        const most = rows[0]!.candidates.length
        const asked = questions.flatMap((question) => {
          const told = judged.flatMap((row) => {
            const right = answers(judge, row, question)
            return right === undefined ? [] : [{ scores: row.scores, right }]
          })
          return told.length === 0 ? [] : [[question.name, told] as const]
        })
        const table: Table = {
          title: `The best of n images for ${rows.length} captions: ${group}`,
          columns: ["n", `score, ${ranked.scorer}`, ...asked.map(([name]) => `${name} right`)],
          rows: doublings(most).map((n) => {
            const score = mean(judged.map(({ scores }) => expectedBest(scores, scores, n)))
            metrics[`${group}.score.${n}`] = score
            return [
              n,
              rounded(score, 4),
              ...asked.map(([name, told]) => {
                const share = mean(told.map(({ scores, right }) => expectedBest(scores, right, n)))
                metrics[`${group}.${name}.${n}`] = share
                return `${(100 * share).toFixed(1)} %`
              }),
            ]
          }),
        }
        tables.push(table)
        yield* emit({ type: "stage.table", ...table, curve: { x: "n", y: [`score, ${ranked.scorer}`] } })
        for (const [name, told] of asked) {
          const right = told.filter(({ scores, right }) => right[ranking(scores)[0]!] === 1).length
          metrics[`${group}.${name}.count`] = right
          yield* emit({
            type: "stage.note",
            text: `${group}: ${name} right in ${right} of ${told.length} pictures, the best of ${most} each`,
          })
        }
        for (const row of judged) {
          const verdict = row.verdicts[ranking(row.scores)[0]!]!
          samples.push([group, row.request.caption, judge.facts.map((fact) => `${fact} ${verdict[fact]}`).join(", ")])
        }
        const best = judged.slice(0, shown).map(({ candidates, scores, request }) => ({
          pixels: candidates[ranking(scores)[0]!]!.pixels,
          text: request.caption,
        }))
        if (best.length > 0) {
          yield* showImages({
            title: `Best of ${most}: ${group}`,
            size: [ranked.size, ranked.size],
            columns: Math.min(8, best.length),
            tiles: best,
          })
        }
      }
      const columns = ["captions", "caption", `the judge on the best, by ${judge.source}`]
      yield* emit({ type: "stage.samples", columns, rows: samples })
      return { metrics, tables, samples: { columns, rows: samples } } satisfies Evaluation
    }),
})
