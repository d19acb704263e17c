/** Writes the events of a run as JSON lines while they happen. */
import { type FileHandle, open } from "node:fs/promises"
import { Effect, type Scope } from "effect"
import type { Observable } from "rxjs"
import { BadData, messageOf } from "../errors.js"
import type { StampedEvent } from "./event.js"
import { encodeEvent } from "./eventLine.js"

export interface EventsWritten {
  /** Steps that were left out because the disk was slower than the run; their numbers are missing in `sequence`. */
  readonly dropped: () => number
  /** Waits until everything so far is written. @fails BadData the file cannot be written */
  readonly flush: Effect.Effect<void, BadData>
}

const unwritable = (path: string, error: unknown): BadData =>
  new BadData({
    where: path,
    expected: "a file that can be written",
    received: messageOf(error),
    fix: "free some space or give another folder with --out; the run itself goes on",
  })

/**
 * Subscribes to `events` and appends them to a new file, until the scope closes.
 *
 * The run never waits for the disk. Lines wait in memory, at most `limit` of them: beyond it single steps are left out,
 * every other kind of event is kept. A disk that fails ends the writing and never the run; `flush` tells.
 */
export const writeEvents = (
  events: Observable<StampedEvent>,
  path: string,
  limit = 10_000,
): Effect.Effect<EventsWritten, BadData, Scope.Scope> =>
  Effect.gen(function* () {
    const waiting: Array<string> = []
    let dropped = 0
    let failure: BadData | undefined
    let writing: Promise<void> = Promise.resolve()
    let busy = false

    const write = async (file: FileHandle): Promise<void> => {
      try {
        while (waiting.length > 0) {
          const text = waiting.splice(0).join("")
          await file.appendFile(text)
        }
      } catch (error) {
        failure = unwritable(path, error)
        waiting.length = 0
      }
      busy = false
    }

    const file = yield* Effect.acquireRelease(
      Effect.tryPromise({ try: () => open(path, "ax"), catch: (error) => unwritable(path, error) }),
      (handle) => Effect.promise(() => handle.close().catch(() => undefined)),
    )
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
          writing = write(file)
        }),
      ),
      (subscription) => Effect.sync(() => subscription.unsubscribe()).pipe(Effect.andThen(flush), Effect.ignore),
    )
    return { dropped: () => dropped, flush }
  })
