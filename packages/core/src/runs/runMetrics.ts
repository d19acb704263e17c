/** The numbers that came of a run, by stage and name. */
import { join } from "node:path"
import { Effect } from "effect"
import { lookAt, readFile } from "../disk/files.js"
import type { DiskFailed } from "../errors.js"
import { parseJson } from "../json.js"
import type { StageStory, Table } from "../report/story.js"
import { keptPath } from "../run/keptPath.js"
import type { RunFacts } from "./runFacts.js"

export interface RunMetric {
  readonly stage: string
  readonly name: string
  readonly value: number
}

type Numbers = ReadonlyArray<readonly [name: string, value: number]>

const numbersOf = (value: unknown): Numbers =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.entries(value).flatMap(([name, number]) => (typeof number === "number" ? [[name, number] as const] : []))
    : []

/** What a stage measured: the file `metrics.json`, name -> number, of one of its artifacts. One that cannot be read has none. */
export const measuredBy = (run: Pick<RunFacts, "path">, stage: StageStory): Effect.Effect<Numbers, DiskFailed> =>
  Effect.gen(function* () {
    const found = yield* Effect.forEach(Object.keys(stage.digests), (port) =>
      Effect.gen(function* () {
        const file = join(run.path, keptPath({ stage: stage.name, name: port }, "metrics.json"))
        if ((yield* lookAt(file))?.kind !== "file") return []
        return yield* parseJson(new TextDecoder().decode(yield* readFile(file)), file).pipe(
          Effect.map(numbersOf),
          Effect.catchTag("BadData", () => Effect.succeed([])),
        )
      }),
    )
    return found.flat()
  })

/** Cells of a table that are numbers, where the first cell of each row names it. */
const inTable = ({ title, columns, rows }: Table): Numbers => {
  const names = rows.map(([first]) => first)
  const named = names.every((name) => typeof name === "string") && new Set(names).size === names.length
  if (!named) return []
  return rows.flatMap(([name, ...cells]) =>
    cells.flatMap((cell, i) =>
      typeof cell === "number" ? [[`${title}: ${name}, ${columns[i + 1] ?? i + 1}`, cell] as const] : [],
    ),
  )
}

/**
 * What each stage measured; of one that measured nothing, the numbers of its tables; and of every one the values of its last step,
 * as `last loss`. In the order of the graph.
 */
export const runMetrics = (run: RunFacts): Effect.Effect<ReadonlyArray<RunMetric>, DiskFailed> =>
  Effect.gen(function* () {
    const all: Array<RunMetric> = []
    for (const stage of run.story.stages.values()) {
      const measured = yield* measuredBy(run, stage)
      const told = measured.length > 0 ? measured : [...stage.tables.values()].flatMap(inTable)
      const last = Object.entries(stage.last).map(([name, value]) => [`last ${name}`, value] as const)
      for (const [name, value] of [...told, ...last]) all.push({ stage: stage.name, name, value })
    }
    return all
  })
