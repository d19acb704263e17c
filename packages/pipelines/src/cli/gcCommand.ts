/** `millrace gc`: removes from the store what no run uses. */
import { collectGarbage } from "@millrace/core"
import { Effect } from "effect"
import { type Ended, failed } from "./exit.js"
import { jsonText } from "./jsonText.js"
import { print } from "./print.js"

export interface GcArguments {
  readonly out: string
  readonly dryRun: boolean
  readonly json: boolean
}

const size = (bytes: number): string =>
  bytes < 2 ** 20 ? `${(bytes / 2 ** 10).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`

/** @fails Ended  1 the store cannot be read or written */
export const gcCommand = ({ out, dryRun, json }: GcArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const garbage = yield* collectGarbage(out, { dryRun }).pipe(Effect.mapError(failed))
    if (json) return yield* print(jsonText(garbage))
    const { records, files, bytes, runs, kept } = garbage
    const begun = runs === 0 ? "" : ` and what was left of ${runs} removed ${runs === 1 ? "run" : "runs"}`
    yield* print(
      `${dryRun ? "would remove" : "removed"} ${records} records and ${files} files, ${size(bytes)}${begun}; ` +
        `${kept.records} records and ${kept.files} files stay, ${size(kept.bytes)}`,
    )
  })
