/** `millrace runs diff`: what two runs differ in, and what it changed. */
import {
  type Change,
  diffRuns,
  excerpt,
  type MetricDifference,
  printable,
  type RunDifference,
  type RunFacts,
  readRunFacts,
  type StageDifference,
  showNumber,
  showSeconds,
  textTable,
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

const changeJson = ({ path, before, now }: Change) => ({ what: path, a: before ?? null, b: now ?? null })

const jsonOf = (a: RunFacts, b: RunFacts, difference: RunDifference) => ({
  a: { run: a.id, folder: a.path, state: a.state, damage: a.damage },
  b: { run: b.id, folder: b.path, state: b.state, damage: b.damage },
  run: difference.run.map(changeJson),
  graph: difference.graph.map(changeJson),
  environment: difference.environment.map(changeJson),
  stages: difference.stages.map(({ stage, verdict, outputs }) => ({
    stage,
    verdict,
    outputs: outputs.map(({ port, before, now }) => ({ port, a: before ?? null, b: now ?? null })),
  })),
  metrics: difference.metrics.map(({ stage, name, before, now }) => ({
    stage,
    name,
    a: before ?? null,
    b: now ?? null,
    difference: before === undefined || now === undefined ? null : now - before,
  })),
  equalMetrics: difference.equalMetrics,
})

const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`

const valueText = (value: unknown): string => (value === undefined ? "–" : printable(excerpt(value)))

/** What a reader wants to know first: which number it is, and how far it reaches. */
const verdict = ({ run, graph, environment, stages, metrics }: RunDifference): string => {
  const causes = [...run, ...graph]
  const [only] = causes
  const cause =
    causes.length === 0
      ? environment.length === 0
        ? "Nothing that decides a run differs"
        : `Graph, seed and engine are the same; ${counted(environment.length, "fact")} of versions and machine differ`
      : causes.length === 1 && only !== undefined
        ? `They differ in ${only.path} alone: ${valueText(only.before)} in A, ${valueText(only.now)} in B`
        : `They differ in ${counted(causes.length, "value")}`
  const different = stages.filter((stage) => stage.verdict === "different")
  const open = stages.filter((stage) => stage.verdict === "open").length
  const compared = stages.length - open
  const left = open === 0 ? "" : `; ${counted(open, "stage")} did not end in both`
  const effect =
    compared === 0
      ? "no stage ended in both"
      : different.length === 0
        ? `no digest differs in ${counted(compared, "stage")}`
        : `${different.length} of ${counted(compared, "stage")} made something else, first ${different[0]!.stage}`
  return `${cause}.\n${effect[0]!.toUpperCase()}${effect.slice(1)}${left}; ${counted(metrics.length, "number")} differ${metrics.length === 1 ? "s" : ""}.`
}

const changeTable = (title: string, rows: ReadonlyArray<Change>): ReadonlyArray<string> =>
  rows.length === 0
    ? []
    : [
        "",
        textTable({
          title,
          columns: ["what", "A", "B"],
          rows: rows.map(({ path, before, now }) => [path, valueText(before), valueText(now)]),
        }),
      ]

const verdicts = { same: "same", different: "different", open: "not in both" } as const

const short = (digest: string | undefined): string => digest?.slice(0, 12) ?? "–"

const stageRow = (a: RunFacts, b: RunFacts, { stage, verdict, outputs }: StageDifference): ReadonlyArray<string> => {
  const time = ({ story }: RunFacts): string => {
    const found = story.stages.get(stage)
    return found === undefined || found.status === "waiting" ? "–" : showSeconds(found.seconds)
  }
  const digests = outputs.map(({ port, before, now }) => {
    const both = before === now ? short(before) : `${short(before)} → ${short(now)}`
    return outputs.length === 1 ? both : `${port} ${both}`
  })
  return [stage, verdicts[verdict], digests.join("  "), time(a), time(b)]
}

const signed = (value: number): string => (value > 0 ? `+${showNumber(value)}` : showNumber(value))

const metricRow = ({ stage, name, before, now }: MetricDifference): ReadonlyArray<string> => [
  stage,
  name,
  before === undefined ? "–" : showNumber(before),
  now === undefined ? "–" : showNumber(now),
  before === undefined || now === undefined ? "" : signed(now - before),
]

const sideOf = (letter: string, { id, graph, seed, engine, state, story, damage }: RunFacts): ReadonlyArray<string> => [
  `${letter}  ${id}  ${printable(graph)}, seed ${printable(seed)}, ${printable(engine)}, ${state} after ${showSeconds(story.seconds)}`,
  ...damage.map((what) => `   damaged: ${printable(what)}`),
]

const textOf = (a: RunFacts, b: RunFacts, difference: RunDifference): string =>
  [
    ...sideOf("A", a),
    ...sideOf("B", b),
    "",
    verdict(difference),
    ...changeTable("What differs", [...difference.run, ...difference.graph]),
    ...changeTable("Versions and machine", difference.environment),
    "",
    textTable({
      title: "What it changed",
      columns: ["stage", "outputs", "digests", "time A", "time B"],
      rows: difference.stages.map((stage) => stageRow(a, b, stage)),
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
      Effect.flatMap(findRun(run, given.out), (path) => readRunFacts(path).pipe(Effect.mapError(failed)))
    const a = yield* read(given.a)
    const b = yield* read(given.b)
    const difference = yield* diffRuns(a, b).pipe(Effect.mapError(failed))
    yield* print(given.json ? jsonText(jsonOf(a, b, difference)) : textOf(a, b, difference))
  })
