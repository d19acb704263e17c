import { existsSync } from "node:fs"
import { BadData, cacheFolder, type Files } from "@millrace/core"
import { Effect } from "effect"
import { filesOf } from "./filesOf.js"
import { type NpmTarball, tarballPlace } from "./npmTarball.js"

/**
 * The files that an earlier run fetched of a package, by their paths in it. Nothing is fetched here.
 * @param wanted  some of the package's `files`; all of them unless said
 * @fails BadData  the package is not in the cache, or a file of it is gone
 */
export const npmFiles = (tarball: NpmTarball, wanted = tarball.files): Effect.Effect<Files, BadData> =>
  Effect.suspend(() => {
    const place = tarballPlace(tarball)
    if (existsSync(place)) return filesOf(place, wanted, `remove ${place}, and run the graph: it is fetched anew`)
    return new BadData({
      where: `${tarball.name}@${tarball.version}`,
      expected: "the package that the run fetched",
      received: `no such package in ${cacheFolder()}`,
      fix: "run the graph on this machine, which fetches it; or set MILLRACE_CACHE to the folder that has it",
    })
  })
