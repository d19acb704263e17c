/** `millrace runs ls`: the runs of a folder, the newest first. */
import {
  damageText,
  listRuns,
  printable,
  type RunFacts,
  type RunMetric,
  showNumber,
  showSeconds,
  textTable,
} from "@millrace/core/runs"
import { Effect } from "effect"
import { type Ended, failed } from "./exit.js"
import { headline } from "./headline.js"
import { jsonText } from "./jsonText.js"
import { print } from "./print.js"

export interface RunsLsArguments {
  readonly out: string
  readonly json: boolean
}

interface Listed {
  readonly run: RunFacts
  readonly metric: RunMetric | undefined
}

const jsonOf = ({ run, metric }: Listed) => ({
  run: run.id,
  folder: run.path,
  graph: run.graph,
  preset: run.origin?.preset ?? null,
  seed: run.seed,
  engine: run.engine,
  state: run.state,
  began: run.began ?? null,
  seconds: run.story.seconds,
  metric: metric ?? null,
  damage: run.damage.map(damageText),
})

/** `2026-11-24 15:38:23`, in UTC as it is kept. */
export const moment = (iso: string | undefined): string => iso?.slice(0, 19).replace("T", " ") ?? "?"

const rowOf = ({ run, metric }: Listed): ReadonlyArray<string> => [
  run.id,
  run.graph,
  run.origin?.preset ?? "",
  run.seed,
  run.engine,
  run.damage.length > 0 ? `${run.state}, damaged` : run.state,
  moment(run.began),
  showSeconds(run.story.seconds),
  metric === undefined ? "" : `${metric.name} ${showNumber(metric.value)}`,
]

const columns = ["run", "graph", "preset", "seed", "engine", "state", "began (UTC)", "time", "number"]

const damageOf = ({ run }: Listed): ReadonlyArray<string> =>
  run.damage.map((damage) => `${run.id} is damaged: ${printable(damageText(damage))}`)

const textOf = (runs: ReadonlyArray<Listed>, out: string): string =>
  runs.length === 0
    ? `no run in ${out}`
    : [
        textTable({ title: `Runs in ${out}`, columns, rows: runs.map(rowOf) }),
        ...(runs.some(({ run }) => run.damage.length > 0) ? ["", ...runs.flatMap(damageOf)] : []),
      ].join("\n")

/** @fails Ended  1: the folder cannot be read */
export const runsLsCommand = ({ out, json }: RunsLsArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const runs = yield* Effect.forEach(yield* listRuns(out), (run) =>
      Effect.map(headline(run), (metric): Listed => ({ run, metric })),
    )
    yield* print(json ? jsonText(runs.map(jsonOf)) : textOf(runs, out))
  }).pipe(Effect.mapError(failed))
