/** `millrace run`: loads a graph and runs it into a folder of its own. */
import { resolve } from "node:path"
import type { EngineName } from "@millrace/core"
import { Effect, Option } from "effect"
import { commandOf } from "./commandOf.js"
import type { Ended } from "./exit.js"
import { jsonText } from "./jsonText.js"
import { isPath, loadGraph } from "./loadGraph.js"
import { planFor } from "./planFor.js"
import { planText } from "./planText.js"
import { record, type Shown } from "./record.js"
import { seedOf } from "./seed.js"
import { withSettings } from "./settings.js"
import { withTensors } from "./withTensors.js"

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

/** @fails Ended  2 usage, 3 graph invalid, 1 run failed */
export const runCommand = (given: RunArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const loaded = yield* loadGraph(given.graph, given.preset)
    const graph = yield* withSettings(loaded.graph, loaded.registry, given.set)
    if (given.dryRun) {
      const plan = withTensors(graph, yield* planFor(graph, given))
      const text = given.json ? jsonText(plan) : planText(plan)
      return yield* Effect.sync(() => void (text === "" || process.stdout.write(`${text}\n`)))
    }
    // A module is found again from any folder.
    const place = isPath(given.graph) ? resolve(given.graph) : given.graph
    const how = { preset: Option.getOrNull(given.preset), set: given.set }
    const options = {
      root: given.out,
      seed: seedOf(given.seed),
      command: commandOf({ graph: given.graph, ...how }, given.seed, given.engine),
      origin: { graph: place, ...how },
      cache: given.cache ? ("use" as const) : ("renew" as const),
    }
    yield* record(graph, given.engine, options, given)
  })
