import { join } from "node:path"
import { Effect } from "effect"
import type { DiskFailed } from "../errors.js"
import { listFolder, lookAt } from "./files.js"

/** Every file in a folder and those within, with its size, sorted by path. */
export const filesBelow = (
  folder: string,
  prefix = "",
): Effect.Effect<ReadonlyArray<{ readonly path: string; readonly bytes: number }>, DiskFailed> =>
  Effect.gen(function* () {
    const files: Array<{ readonly path: string; readonly bytes: number }> = []
    for (const name of yield* listFolder(folder)) {
      const entry = yield* lookAt(join(folder, name))
      if (entry?.kind === "folder") files.push(...(yield* filesBelow(join(folder, name), `${prefix}${name}/`)))
      if (entry?.kind === "file") files.push({ path: `${prefix}${name}`, bytes: entry.bytes })
    }
    return files
  })
