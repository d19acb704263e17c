/** `millrace run`: loads a graph and runs it into a folder of its own. */
import { resolve } from "node:path"
import type { EngineName } from "@millrace/core"
import { Effect, Option } from "effect"
import type { Ended } from "./exit.js"
import { isPath, loadGraph } from "./loadGraph.js"
import { planFor } from "./planFor.js"
import { planText } from "./planText.js"
import { record, type Shown } from "./record.js"
import { seedOf } from "./seed.js"
import { withSettings } from "./settings.js"
import { shellWord } from "./shellWord.js"

export interface RunArguments extends Shown {
  readonly graph: string
  readonly preset: Option.Option<string>
  readonly seed: string
  readonly engine: EngineName
  readonly set: ReadonlyArray<string>
  readonly out: string
  /** Whether stages that were made before are taken from the store. */
  readonly cache: boolean
  readonly dryRun: boolean
}

const named = Option.match({ onNone: () => [], onSome: (name: string) => ["--preset", name] })

const commandOf = ({ graph, preset, seed, engine, set }: RunArguments): string =>
  [
    "millrace",
    "run",
    graph,
    ...named(preset),
    "--seed",
    seed,
    "--engine",
    engine,
    ...set.flatMap((one) => ["--set", one]),
  ]
    .map(shellWord)
    .join(" ")

/** @fails Ended  2 usage, 3 graph invalid, 1 run failed */
export const runCommand = (given: RunArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const loaded = yield* loadGraph(given.graph, given.preset)
    const graph = yield* withSettings(loaded.graph, loaded.registry, given.set)
    if (given.dryRun) {
      const plan = yield* planFor(graph, given)
      const text = given.json ? JSON.stringify(plan, null, 2) : planText(plan)
      return yield* Effect.sync(() => void (text === "" || process.stdout.write(`${text}\n`)))
    }
    // A module is found again from any folder.
    const place = isPath(given.graph) ? resolve(given.graph) : given.graph
    const options = {
      root: given.out,
      seed: seedOf(given.seed),
      command: commandOf(given),
      origin: { graph: place, preset: Option.getOrNull(given.preset), set: given.set },
      cache: given.cache ? ("use" as const) : ("renew" as const),
    }
    yield* record(graph, given.engine, options, given)
  })
