/** `run.json`: what is needed to run a graph again, or on, from the folder alone. */
import { Effect, Schema } from "effect"
import { BadData, type DiskFailed } from "../errors.js"
import { parseJson } from "../json.js"
import type { RunFolder } from "./folder.js"

/** How a graph is found again: by the command's arguments. */
export const RunOrigin = Schema.Struct({
  /** A built-in name, or the path of a module. */
  graph: Schema.String,
  preset: Schema.NullOr(Schema.String),
  set: Schema.Array(Schema.String),
})
export type RunOrigin = typeof RunOrigin.Type

export const RunJson = Schema.Struct({
  name: Schema.String,
  /** The graph's hash. */
  graph: Schema.String,
  seed: Schema.String,
  engine: Schema.String,
  /** Null where a program ran the graph, not the command. */
  origin: Schema.NullOr(RunOrigin),
})
export type RunJson = typeof RunJson.Type

/** @fails BadData  the file is not there, or says something else */
export const readRunJson = ({ path, read }: RunFolder): Effect.Effect<RunJson, BadData | DiskFailed> =>
  Effect.gen(function* () {
    const where = `${path}/run.json`
    const json = yield* parseJson(new TextDecoder().decode(yield* read("run.json")), where)
    return yield* Schema.decodeUnknownEffect(RunJson)(json).pipe(
      Effect.mapError(
        ({ message }) =>
          new BadData({ where, expected: "how the run was made", received: message, fix: "run the graph again" }),
      ),
    )
  })
