/** What `millrace engines add` would do: which wheels it has, which it would fetch, and how much room that takes. */
import { join } from "node:path"
import { type BadData, type DiskFailed, engineFolder, enginesFolder, lookAt } from "@millrace/core"
import type { NativeEngineName } from "@millrace/core/engine"
import { Effect } from "effect"
import { sha256OfFile, wrongWheel } from "./checkWheel.js"
import { Host } from "./host.js"
import { Pins, type Wheel } from "./pins.js"

/** A wheel, and where it is to be had. */
export interface PlannedWheel {
  readonly wheel: Wheel
  /** Given by the user, kept by an installation that did not end, or to be fetched from the index. */
  readonly from: "given" | "kept" | "index"
  readonly path: string
}

export interface Plan {
  readonly name: NativeEngineName
  /** `linux-x64`. */
  readonly machine: string
  readonly folder: string
  /** None where the machine is not one that the engine is for. */
  readonly wheels: ReadonlyArray<PlannedWheel>
  readonly fetchedBytes: number
  /** What it takes on the disk while it is installed. */
  readonly diskBytes: number
}

/** Where a fetched wheel waits until it is used: under its digest, so that no other can be taken for it. */
export const keptWheel = ({ sha256, file }: Wheel): string => join(enginesFolder(), "wheels", sha256, file)

/** Beside the wheels: headers, sources, the addon. */
const restBytes = 30e6

/**
 * @param given  files that the user has, instead of the index's
 * @fails BadData     one of them is none of the wheels that the engine needs
 * @fails DiskFailed  one of them cannot be read
 */
export const planOf = (
  name: NativeEngineName,
  given: ReadonlyArray<string>,
): Effect.Effect<Plan, BadData | DiskFailed> =>
  Effect.gen(function* () {
    const { platform, arch } = yield* Host
    const pins = yield* Pins
    const machine = `${platform}-${arch}`
    const needed = pins.wheels[name][machine] ?? []
    const byDigest = new Map<string, string>()
    for (const path of given) {
      const sha256 = yield* sha256OfFile(path)
      if (needed.length > 0 && !needed.some((wheel) => wheel.sha256 === sha256)) {
        return yield* wrongWheel(path, sha256, needed)
      }
      byDigest.set(sha256, path)
    }
    const wheels = yield* Effect.forEach(needed, (wheel) =>
      Effect.gen(function* () {
        const own = byDigest.get(wheel.sha256)
        if (own !== undefined) return { wheel, from: "given", path: own } satisfies PlannedWheel
        const path = keptWheel(wheel)
        const kept = yield* lookAt(path)
        return { wheel, from: kept === undefined ? "index" : "kept", path } satisfies PlannedWheel
      }),
    )
    const fetchedBytes = wheels.reduce((sum, { wheel, from }) => sum + (from === "index" ? wheel.bytes : 0), 0)
    const unpackedBytes = wheels.reduce((sum, { wheel }) => sum + wheel.unpackedBytes, 0)
    const folder = engineFolder(name, machine)
    return { name, machine, folder, wheels, fetchedBytes, diskBytes: fetchedBytes + unpackedBytes + restBytes }
  })
