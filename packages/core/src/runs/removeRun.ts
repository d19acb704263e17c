import { basename, dirname, join } from "node:path"
import { Effect } from "effect"
import { removeAll, renameTo } from "../disk/files.js"
import type { DiskFailed } from "../errors.js"

/** What the name of a run that is being removed begins with: a process that is killed over it leaves such. */
export const removedMark = ".removed-"

/** Removes the folder of a run as a whole: first it takes another name, with a dot before it, so that nobody finds half of it. */
export const removeRun = (path: string): Effect.Effect<void, DiskFailed> => {
  const aside = join(dirname(path), `${removedMark}${basename(path)}-${process.pid}`)
  return Effect.andThen(renameTo(path, aside), removeAll(aside))
}
