/** A crate from a file, checked. */
import { BadData, lookAt, readFile } from "@millrace/core"
import { type OpenCrate, openCrate, zipLimits } from "@millrace/core/crate"
import { Effect } from "effect"
import { type Ended, failed, invalid, usage } from "./exit.js"
import { knownTypes } from "./knownTypes.js"

/**
 * @param modules  where node types of the graph's own are
 * @fails Ended  2 no such file, 3 what is wrong with it
 */
export const readCrate = (path: string, modules: ReadonlyArray<string>): Effect.Effect<OpenCrate, Ended> =>
  Effect.gen(function* () {
    const entry = yield* lookAt(path).pipe(Effect.mapError(failed))
    if (entry?.kind !== "file") {
      return yield* usage(
        new BadData({
          where: "crate",
          expected: "the path of a crate",
          received: `${path}, which is no file`,
          fix: "check the path; a crate is one zip archive",
        }),
      )
    }
    if (entry.bytes > zipLimits.total) {
      return yield* invalid(
        new BadData({
          where: path,
          expected: `at most ${zipLimits.total} bytes`,
          received: `${entry.bytes}`,
          fix: "it is no crate that `millrace publish` wrote",
        }),
      )
    }
    const bytes = yield* readFile(path).pipe(Effect.mapError(failed))
    return yield* openCrate(bytes, yield* knownTypes(modules)).pipe(Effect.mapError(invalid))
  })
