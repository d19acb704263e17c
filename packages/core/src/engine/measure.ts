/** Measures a program's calls from the main process: some as they always are, then some with every kernel recorded. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import type { EngineError } from "../engine.js"
import type { Measured, MeasuredCall, Rounds } from "./measured.js"
import type { Remote } from "./remote.js"

/** Calls one after the other; durations in milliseconds, as the caller sees them. */
const times = <E>(call: Effect.Effect<unknown, E>, count: number): Effect.Effect<ReadonlyArray<number>, E> =>
  Effect.gen(function* () {
    const durations: Array<number> = []
    for (let i = 0; i < count; i++) {
      const from = performance.now()
      yield* call
      durations.push(performance.now() - from)
    }
    return durations
  })

/** A folder that is gone afterwards, also where the engine's process was ended in the middle. */
const inFolder = <A, E>(use: (folder: string) => Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "millrace-profiles-"))),
    use,
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true })),
  )

/**
 * @param call  one call of the program, checked and ready
 */
export const measure = (
  remote: Remote,
  what: string,
  program: number,
  call: Effect.Effect<unknown, EngineError>,
  { warmup, runs }: Rounds,
): Effect.Effect<Measured, EngineError> =>
  Effect.gen(function* () {
    const unprofiled = yield* times(call, warmup + runs)
    const [totals, trace] = yield* inFolder((folder) =>
      Effect.gen(function* () {
        yield* remote.ask(what, { kind: "profile", program, folder })
        const durations = yield* times(call, warmup + runs).pipe(
          Effect.onError(() => Effect.ignore(remote.ask(what, { kind: "profiled" }))),
        )
        return [durations, yield* remote.ask(what, { kind: "profiled" })] as const
      }),
    )
    const calls = trace.calls.map((one, i): MeasuredCall => ({ ...one, total: totals[i]! })).slice(warmup)
    return { ...trace, calls, unprofiled: unprofiled.slice(warmup) }
  })
