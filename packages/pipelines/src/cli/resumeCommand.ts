/** `millrace resume`: a run that was stopped or killed goes on in its folder, from what the folder says of it. */
import { dirname } from "node:path"
import { BadData, type EngineName, engineNames, openRunFolder, readRunJson } from "@millrace/core"
import { Effect, Option } from "effect"
import { commandOf } from "./commandOf.js"
import { type Ended, failed, usage } from "./exit.js"
import { findRun } from "./findRun.js"
import { loadGraph } from "./loadGraph.js"
import { record, type Shown } from "./record.js"
import { seedOf } from "./seed.js"
import { withSettings } from "./settings.js"

export interface ResumeArguments extends Shown {
  readonly run: string
  /** The folder of all runs. */
  readonly out: string
}

const isEngine = (name: string): name is EngineName => engineNames.some((one) => one === name)

const unknown = (where: string, expected: string, received: string): Ended =>
  usage(new BadData({ where, expected, received, fix: "run the graph again: millrace run" }))

/** @fails Ended  2 no such run, 3 its graph was changed since, 1 run failed */
export const resumeCommand = (given: ResumeArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const resume = yield* Effect.mapError(openRunFolder(yield* findRun(given.run, given.out)), usage)
    const { seed, engine, origin } = yield* Effect.mapError(readRunJson(resume), failed)
    if (origin === null) {
      return yield* unknown(given.run, "a run of the command", "one that a program made, which alone has its graph")
    }
    if (!isEngine(engine)) return yield* unknown(`${given.run}/run.json`, engineNames.join(", "), engine)
    const loaded = yield* loadGraph(origin.graph, Option.fromNullOr(origin.preset))
    const graph = yield* withSettings(loaded.graph, loaded.registry, origin.set)
    const options = {
      root: dirname(resume.path),
      seed: seedOf(seed),
      command: commandOf(origin, seed, engine),
      cache: "use" as const,
      resume,
    }
    yield* record(graph, engine, options, given)
  })
