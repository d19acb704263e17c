/** Removes from a store what no run uses. */
import { join } from "node:path"
import { Clock, Effect } from "effect"
import { listFolder, lookAt, readFile, removeAll, temporaryMark } from "../disk/files.js"
import type { DiskFailed } from "../errors.js"
import { parseJson } from "../json.js"
import { removedMark } from "../runs/removeRun.js"
import { decodeMade, type Made } from "./made.js"
import { storeIn } from "./store.js"

export interface Garbage {
  /** Records and files that are removed, or would be. */
  readonly records: number
  readonly files: number
  readonly bytes: number
  /** Runs that a killed process had begun to remove. */
  readonly runs: number
  /** What stays. */
  readonly kept: { readonly records: number; readonly files: number; readonly bytes: number }
}

export interface GarbageOptions {
  /** Tells what would go, and removes nothing. */
  readonly dryRun?: boolean
  /** What was written or used in this time stays: a run that is not over may need it. An hour by default, milliseconds. */
  readonly young?: number
}

const hour = 3_600_000
const text = new TextDecoder()

/** Every file two folders deep: shelf/ab/rest. */
const shelved = (shelf: string): Effect.Effect<ReadonlyArray<string>, DiskFailed> =>
  Effect.gen(function* () {
    const folders = yield* listFolder(shelf)
    const found = yield* Effect.forEach(folders, (folder) =>
      Effect.map(listFolder(join(shelf, folder)), (names) => names.map((name) => join(shelf, folder, name))),
    )
    return found.flat()
  })

/** The digests of every artifact that a run folder names. */
const usedDigests = (root: string): Effect.Effect<ReadonlySet<string>, DiskFailed> =>
  Effect.gen(function* () {
    const used = new Set<string>()
    for (const name of yield* listFolder(root)) {
      const file = join(root, name, "digests.json")
      if (name.startsWith(".") || (yield* lookAt(file))?.kind !== "file") continue
      const json = yield* parseJson(text.decode(yield* readFile(file)), file).pipe(
        Effect.catchTag("BadData", () => Effect.succeed({})),
      )
      for (const stage of Object.values(json as Readonly<Record<string, unknown>>)) {
        for (const digest of Object.values(stage as Readonly<Record<string, unknown>>)) {
          if (typeof digest === "string") used.add(digest)
        }
      }
    }
    return used
  })

const filesOf = ({ outputs, images, events }: Made): ReadonlyArray<string> => [
  events,
  ...[...outputs, ...images].flatMap(({ files }) => Object.values(files)),
]

/**
 * Removes the records of what no run in `root` has as its own any more, the files that no record names, what was damaged,
 * and what killed processes left half written or half removed. Safe beside runs: what is young stays.
 * @param root  the folder of all runs, with the store in `.store`
 */
export const collectGarbage = (
  root: string,
  { dryRun = false, young = hour }: GarbageOptions = {},
): Effect.Effect<Garbage, DiskFailed> =>
  Effect.gen(function* () {
    const store = storeIn(root)
    const now = yield* Clock.currentTimeMillis
    const used = yield* usedDigests(root)
    const named = new Set<string>()
    const gone = { records: 0, files: 0, bytes: 0 }
    const kept = { records: 0, files: 0, bytes: 0 }

    /** @returns whether it goes */
    const judge = (file: string, needed: boolean, what: "records" | "files") =>
      Effect.gen(function* () {
        const at = yield* lookAt(file)
        if (at === undefined) return true
        const goes = !needed && now - at.modified > young
        const count = goes ? gone : kept
        count[what]++
        count.bytes += at.bytes
        if (goes && !dryRun) yield* removeAll(file)
        return goes
      })

    for (const file of yield* shelved(join(store, "made"))) {
      const key = file.slice(join(store, "made").length).replaceAll(/[/\\]|\.json$/g, "")
      const made = yield* decodeMade(yield* readFile(file), key, file).pipe(
        Effect.catchTag("BadData", () => Effect.succeed(undefined)),
      )
      const needed = made?.outputs.some(({ digest }) => used.has(digest)) ?? false
      const goes = yield* judge(file, needed && !file.includes(temporaryMark), "records")
      if (!goes && made !== undefined) for (const hash of filesOf(made)) named.add(hash)
    }
    for (const file of yield* shelved(join(store, "objects"))) {
      const hash = file.slice(join(store, "objects").length).replaceAll(/[/\\]/g, "")
      yield* judge(file, named.has(hash), "files")
    }
    for (const file of yield* shelved(join(store, "last"))) {
      if (file.includes(temporaryMark)) yield* judge(file, false, "files")
    }
    for (const name of yield* listFolder(join(store, "damaged"))) {
      yield* judge(join(store, "damaged", name), false, "files")
    }
    const begun = (yield* listFolder(root)).filter((name) => name.startsWith(removedMark))
    // Whoever is at it still does not mind.
    if (!dryRun) yield* Effect.forEach(begun, (name) => removeAll(join(root, name)), { discard: true })
    return { ...gone, runs: begun.length, kept }
  })
