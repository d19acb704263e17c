/** `millrace runs show`: what one run was. */
import {
  damageText,
  leaves,
  printable,
  type RunFacts,
  readRunFacts,
  type StageStory,
  showNumber,
  showSeconds,
  textTable,
} from "@millrace/core/runs"
import { Effect } from "effect"
import { commandOf } from "./commandOf.js"
import { type Ended, failed } from "./exit.js"
import { findRun } from "./findRun.js"
import { jsonText } from "./jsonText.js"
import { print } from "./print.js"
import { moment } from "./runsLsCommand.js"
import { settingLines } from "./settingLines.js"

export interface RunsShowArguments {
  readonly run: string
  readonly out: string
  readonly json: boolean
}

const jsonOf = (run: RunFacts) => ({
  run: run.id,
  folder: run.path,
  graph: run.graph,
  origin: run.origin,
  seed: run.seed,
  engine: run.engine,
  state: run.state,
  writer: run.writer ?? null,
  began: run.began ?? null,
  seconds: run.story.seconds,
  stages: [...run.story.stages.values()].map((stage) => ({
    stage: stage.name,
    node: stage.node,
    state: stage.status,
    from: stage.from ?? null,
    seconds: stage.seconds,
    step: stage.step,
    steps: stage.steps,
    last: stage.last,
    digests: stage.digests,
    tables: [...stage.tables.values()],
    notes: stage.notes,
    error: stage.error ?? null,
  })),
  settings: Object.fromEntries(run.nodes === undefined ? [] : settingLines(run.nodes)),
  environment: run.environment,
  damage: run.damage.map(damageText),
})

const stateOf = ({ status, from }: StageStory): string =>
  status === "waiting" ? "not started" : from === undefined ? status : `${status}, of ${from}`

const stageRow = (stage: StageStory): ReadonlyArray<string> => [
  stage.name,
  stage.node,
  stateOf(stage),
  stage.status === "waiting" ? "" : showSeconds(stage.seconds),
  stage.step === 0 ? "" : `${showNumber(stage.step)} of ${showNumber(stage.steps)}`,
  Object.entries(stage.digests)
    .map(([port, digest]) => (port === "out" ? digest.slice(0, 12) : `${port} ${digest.slice(0, 12)}`))
    .join("  "),
]

/** Two columns with nothing above them. */
const pairs = (rows: ReadonlyArray<readonly [string, string]>): string => {
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `  ${printable(name).padEnd(width)}  ${printable(value)}`.trimEnd()).join("\n")
}

const textOf = (run: RunFacts): string => {
  const { story, nodes } = run
  const stages = [...story.stages.values()]
  const process = run.writer === undefined ? "" : ` by process ${run.writer}`
  const section = (title: string, text: string) => (text === "" ? [] : ["", title, text])
  return [
    `${printable(run.graph)}: run ${run.id}, ${run.state}${process} after ${showSeconds(story.seconds)}, began ${moment(run.began)} UTC`,
    `seed ${printable(run.seed)}, engine ${printable(run.engine)}, in ${run.path}`,
    ...(run.origin === null ? [] : [commandOf(run.origin, run.seed, run.engine)]),
    ...run.damage.map((damage) => `damaged: ${printable(damageText(damage))}`),
    "",
    textTable({
      title: "Stages",
      columns: ["stage", "node", "state", "time", "steps", "digest"],
      rows: stages.map(stageRow),
    }),
    ...stages.flatMap(({ name, status, error }) =>
      status === "failed" && error !== undefined ? ["", `${name} failed:`, printable(error)] : [],
    ),
    ...stages.flatMap(({ tables }) => [...tables.values()].flatMap((table) => ["", textTable(table)])),
    ...section("Settings", pairs(nodes === undefined ? [] : settingLines(nodes))),
    ...section("Environment", pairs(leaves(run.environment, "", " "))),
  ].join("\n")
}

/** @fails Ended  2: no such run; 1: its folder cannot be read */
export const runsShowCommand = ({ run, out, json }: RunsShowArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const facts = yield* readRunFacts(yield* findRun(run, out)).pipe(Effect.mapError((error) => failed(error)))
    yield* print(json ? jsonText(jsonOf(facts)) : textOf(facts))
  })
