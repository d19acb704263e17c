/** `millrace runs diff`: what two runs differ in, and what it changed. */
import {
  type Difference,
  damageText,
  differenceText,
  diffRuns,
  type MetricDifference,
  printable,
  type RunDifference,
  type RunFacts,
  readRunFacts,
  runMetrics,
  type StageDifference,
  type StageStory,
  showNumber,
  showSeconds,
  textTable,
  valueText,
} from "@millrace/core/runs"
import { Effect } from "effect"
import { type Ended, failed } from "./exit.js"
import { findRun } from "./findRun.js"
import { jsonText } from "./jsonText.js"
import { print } from "./print.js"

export interface RunsDiffArguments {
  readonly a: string
  readonly b: string
  readonly out: string
  readonly json: boolean
}

const runJson = ({ id, path, state, damage }: RunFacts) => ({
  run: id,
  folder: path,
  state,
  damage: damage.map(damageText),
})

/** JSON has nothing for what a run does not have but null. */
const pairJson = <D extends { readonly a: unknown; readonly b: unknown }>(difference: D) => ({
  ...difference,
  a: difference.a ?? null,
  b: difference.b ?? null,
})

const jsonOf = (a: RunFacts, b: RunFacts, difference: RunDifference) => ({
  a: runJson(a),
  b: runJson(b),
  run: difference.run.map(pairJson),
  graph: difference.graph.map(pairJson),
  environment: difference.environment.map(pairJson),
  stages: difference.stages.map(({ stage, verdict, outputs }) => ({
    stage,
    verdict,
    outputs: outputs.map(pairJson),
  })),
  metrics: difference.metrics.map((metric) => ({
    ...pairJson(metric),
    difference: metric.a === undefined || metric.b === undefined ? null : metric.b - metric.a,
  })),
  equalMetrics: difference.equalMetrics,
})

const differenceTable = (title: string, rows: ReadonlyArray<Difference>): ReadonlyArray<string> =>
  rows.length === 0
    ? []
    : [
        "",
        textTable({
          title,
          columns: ["what", "A", "B"],
          rows: rows.map(({ what, a, b }) => [what, valueText(a), valueText(b)]),
        }),
      ]

const verdicts = { same: "same", different: "different", open: "not in both" } as const

const short = (digest: string | undefined): string => digest?.slice(0, 12) ?? "–"

const timeOf = (stage: StageStory | undefined): string =>
  stage === undefined || stage.status === "waiting" ? "–" : showSeconds(stage.seconds)

const stageRow = ({ stage, verdict, outputs, a, b }: StageDifference): ReadonlyArray<string> => {
  const digests = outputs.map(({ port, a, b }) => {
    const both = a === b ? short(a) : `${short(a)} → ${short(b)}`
    return outputs.length === 1 ? both : `${port} ${both}`
  })
  return [stage, verdicts[verdict], digests.join("  "), timeOf(a), timeOf(b)]
}

const signed = (value: number): string => (value > 0 ? `+${showNumber(value)}` : showNumber(value))

const metricRow = ({ stage, name, a, b }: MetricDifference): ReadonlyArray<string> => [
  stage,
  name,
  a === undefined ? "–" : showNumber(a),
  b === undefined ? "–" : showNumber(b),
  a === undefined || b === undefined ? "" : signed(b - a),
]

const sideOf = (letter: string, { id, graph, seed, engine, state, story, damage }: RunFacts): ReadonlyArray<string> => [
  `${letter}  ${id}  ${printable(graph)}, seed ${printable(seed)}, ${printable(engine)}, ${state} after ${showSeconds(story.seconds)}`,
  ...damage.map((one) => `   damaged: ${printable(damageText(one))}`),
]

const textOf = (a: RunFacts, b: RunFacts, difference: RunDifference): string =>
  [
    ...sideOf("A", a),
    ...sideOf("B", b),
    "",
    differenceText(difference),
    ...differenceTable("What differs", [...difference.run, ...difference.graph]),
    ...differenceTable("Versions and machine", difference.environment),
    "",
    textTable({
      title: "What it changed",
      columns: ["stage", "outputs", "digests", "time A", "time B"],
      rows: difference.stages.map(stageRow),
    }),
    ...(difference.metrics.length === 0
      ? []
      : [
          "",
          textTable({
            title: `Numbers that differ; ${difference.equalMetrics} are the same`,
            columns: ["stage", "number", "A", "B", "B − A"],
            rows: difference.metrics.map(metricRow),
          }),
        ]),
  ].join("\n")

/** @fails Ended  2: no such run; 1: a folder that cannot be read */
export const runsDiffCommand = (given: RunsDiffArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const read = (run: string) =>
      Effect.gen(function* () {
        const facts = yield* readRunFacts(yield* findRun(run, given.out)).pipe(Effect.mapError(failed))
        return { ...facts, metrics: yield* runMetrics(facts).pipe(Effect.mapError(failed)) }
      })
    const a = yield* read(given.a)
    const b = yield* read(given.b)
    const difference = diffRuns(a, b)
    yield* print(given.json ? jsonText(jsonOf(a, b, difference)) : textOf(a, b, difference))
  })
