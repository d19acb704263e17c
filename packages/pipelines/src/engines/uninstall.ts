/** Undoes what `millrace engines add` did. */
import { dirname, join } from "node:path"
import {
  type BadData,
  claimRun,
  type DiskFailed,
  engineFolder,
  engineLayout,
  enginesFolder,
  filesBelow,
  listFolder,
  lookAt,
  removeAll,
} from "@millrace/core"
import type { NativeEngineName } from "@millrace/core/engine"
import { Effect } from "effect"
import { Pins } from "./pins.js"
import { keptWheel } from "./plan.js"

/** Removes wheels that were kept for an engine, which is whole or to be removed. */
export const removeWheels = (name: NativeEngineName): Effect.Effect<void, DiskFailed> =>
  Effect.gen(function* () {
    const kept = join(enginesFolder(), "wheels")
    const there = new Set(yield* listFolder(kept))
    for (const wheel of Object.values((yield* Pins).wheels[name]).flat()) {
      if (there.delete(wheel.sha256)) yield* removeAll(dirname(keptWheel(wheel)))
    }
    if (there.size === 0) yield* removeAll(kept)
  })

/** Where an engine is made. */
export const addingFolder = (): string => join(enginesFolder(), ".adding")

export const claimEngines = () => claimRun(enginesFolder(), "engines that no other process changes")

/** Removes what a process has left that was killed after the engine was whole. Where another is at work, that is its own. */
export const tidy = (name: NativeEngineName): Effect.Effect<void, DiskFailed> =>
  Effect.gen(function* () {
    const left = (yield* listFolder(enginesFolder())).some((one) => /^(?:\.adding|wheels|running-.*)$/.test(one))
    if (!left) return
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* claimEngines()
        yield* removeAll(addingFolder())
        yield* removeWheels(name)
      }),
    ).pipe(Effect.catchTag("BadData", () => Effect.void))
  })

/**
 * Removes an engine, of every version that there is, and what an installation that did not end has left.
 * @returns how many bytes were freed
 * @fails BadData     another process installs or removes one
 * @fails DiskFailed  files cannot be removed
 */
export const uninstall = (name: NativeEngineName): Effect.Effect<number, BadData | DiskFailed> =>
  Effect.gen(function* () {
    const root = enginesFolder()
    if ((yield* lookAt(root)) === undefined) return 0
    const sizeOf = Effect.map(filesBelow(root), (files) => files.reduce((sum, { bytes }) => sum + bytes, 0))
    const before = yield* sizeOf
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* claimEngines()
        const versions = dirname(engineFolder(name))
        // Without what it says of itself a folder is no engine: one that is half removed is taken for none.
        for (const version of yield* listFolder(versions))
          yield* removeAll(join(versions, version, engineLayout.manifest))
        yield* removeAll(versions)
        yield* removeAll(addingFolder())
        yield* removeWheels(name)
      }),
    )
    const after = yield* sizeOf
    if ((yield* listFolder(root)).length === 0) yield* removeAll(root)
    return before - after
  })
