/** Writes the events of a run as JSON lines while they happen. */
import { Effect, type Scope } from "effect"
import type { Observable } from "rxjs"
import { Disk } from "../disk/disk.js"
import { appendTo, diskFailed } from "../disk/files.js"
import type { DiskFailed } from "../errors.js"
import type { StampedEvent } from "./event.js"
import { encodeEvent } from "./eventLine.js"

export interface EventsWritten {
  /** Steps that were left out because the disk was slower than the run; their numbers are missing in `sequence`. */
  readonly dropped: () => number
  /** Waits until everything so far is written. @fails DiskFailed the file cannot be written */
  readonly flush: Effect.Effect<void, DiskFailed>
}

/**
 * Subscribes to `events` and appends them to a file, until the scope closes.
 *
 * The run never waits for the disk. Lines wait in memory, at most `limit` of them: beyond it single steps are left out,
 * every other kind of event is kept. A disk that fails ends the writing and never the run; `flush` tells.
 */
export const writeEvents = (
  events: Observable<StampedEvent>,
  path: string,
  limit = 10_000,
): Effect.Effect<EventsWritten, DiskFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const disk = yield* Disk
    yield* appendTo(path, new Uint8Array())
    const waiting: Array<string> = []
    let dropped = 0
    let failure: DiskFailed | undefined
    let writing: Promise<void> = Promise.resolve()
    let busy = false

    const write = async (): Promise<void> => {
      try {
        while (waiting.length > 0) {
          const text = waiting.splice(0).join("")
          await disk.append(path, new TextEncoder().encode(text))
        }
      } catch (error) {
        failure = diskFailed(path, "a file that events can be added to", error)
        waiting.length = 0
      }
      busy = false
    }

    const flush = Effect.promise(() => writing).pipe(
      Effect.andThen(() => (failure === undefined ? Effect.void : Effect.fail(failure))),
    )
    yield* Effect.acquireRelease(
      Effect.sync(() =>
        events.subscribe((event) => {
          if (failure !== undefined) return
          if (waiting.length >= limit && event.type === "stage.step") {
            dropped++
            return
          }
          waiting.push(`${encodeEvent(event)}\n`)
          if (busy) return
          busy = true
          writing = write()
        }),
      ),
      (subscription) => Effect.sync(() => subscription.unsubscribe()).pipe(Effect.andThen(flush), Effect.ignore),
    )
    return { dropped: () => dropped, flush }
  })
