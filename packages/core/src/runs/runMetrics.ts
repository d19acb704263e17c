/** The numbers that came of a run, by stage and name. */
import { join } from "node:path"
import { Effect } from "effect"
import { lookAt, readFile } from "../disk/files.js"
import type { DiskFailed } from "../errors.js"
import type { StageStory, Table } from "../report/story.js"
import { keptPath } from "../run/keptPath.js"
import type { RunFacts } from "./runFacts.js"

export interface RunMetric {
  readonly stage: string
  readonly name: string
  readonly value: number
}

type Numbers = ReadonlyArray<readonly [name: string, value: number]>

/** The numbers of a file `metrics.json`, name -> number; none where there is no such file, or it is another. */
export const numbersIn = (bytes: Uint8Array | undefined): Numbers => {
  if (bytes === undefined) return []
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof value !== "object" || value === null || Array.isArray(value)) return []
    return Object.entries(value).flatMap(([name, number]) =>
      typeof number === "number" ? [[name, number] as const] : [],
    )
  } catch {
    return []
  }
}

/** The values of a stage's last step, as `last loss`. */
export const lastNumbers = ({ last }: StageStory): Numbers =>
  Object.entries(last).map(([name, value]) => [`last ${name}`, value] as const)

/** What a stage measured: the file `metrics.json`, name -> number, of one of its artifacts. One that cannot be read has none. */
export const measuredBy = (run: Pick<RunFacts, "path">, stage: StageStory): Effect.Effect<Numbers, DiskFailed> =>
  Effect.gen(function* () {
    const found = yield* Effect.forEach(Object.keys(stage.digests), (port) =>
      Effect.gen(function* () {
        const file = join(run.path, keptPath({ stage: stage.name, name: port }, "metrics.json"))
        return (yield* lookAt(file))?.kind === "file" ? numbersIn(yield* readFile(file)) : []
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
 * What each stage measured; of one that measured nothing, the numbers of its tables; and of every one the values of its last step.
 * In the order of the graph.
 */
export const runMetrics = (run: RunFacts): Effect.Effect<ReadonlyArray<RunMetric>, DiskFailed> =>
  Effect.gen(function* () {
    const all: Array<RunMetric> = []
    for (const stage of run.story.stages.values()) {
      const measured = yield* measuredBy(run, stage)
      const told = measured.length > 0 ? measured : [...stage.tables.values()].flatMap(inTable)
      for (const [name, value] of [...told, ...lastNumbers(stage)]) all.push({ stage: stage.name, name, value })
    }
    return all
  })
