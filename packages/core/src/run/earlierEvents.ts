/** What the earlier processes of a run told. */
import { join } from "node:path"
import { Effect } from "effect"
import { lookAt, readFile, writeWhole } from "../disk/files.js"
import type { DiskFailed } from "../errors.js"
import type { StampedEvent } from "./event.js"
import { decodeEvents } from "./eventLine.js"

const newline = 10

/** The events of a run folder, of which none may be there. A last line that a killed process left in part is cut off, so that lines can be added. */
export const earlierEvents = (path: string): Effect.Effect<ReadonlyArray<StampedEvent>, DiskFailed> =>
  Effect.gen(function* () {
    const file = join(path, "events.jsonl")
    if ((yield* lookAt(file)) === undefined) return []
    const bytes = yield* readFile(file)
    const whole = bytes.subarray(0, bytes.lastIndexOf(newline) + 1)
    if (whole.length < bytes.length) yield* writeWhole(file, whole)
    return decodeEvents(new TextDecoder().decode(whole))
  })
