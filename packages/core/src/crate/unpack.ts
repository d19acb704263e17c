/** Writes the files of a crate into a folder. */
import { join, resolve, sep } from "node:path"
import { Effect } from "effect"
import type { Files } from "../artifact.js"
import { writeWhole } from "../disk/files.js"
import { BadData, type DiskFailed } from "../errors.js"
import { collisionIn, whyNotEntryName } from "./zip/entryName.js"

/**
 * Every file under its name, inside the folder and nowhere else: all names are checked before the first is written.
 * @param folder  a new one, or an empty one: a link in it would be followed
 * @fails BadData     a name that is none of a file inside a folder
 * @fails DiskFailed  the folder cannot be written
 */
export const unpackFiles = (files: Files, folder: string): Effect.Effect<void, BadData | DiskFailed> =>
  Effect.gen(function* () {
    const root = resolve(folder) + sep
    const names = Object.keys(files)
    for (const name of names) {
      const why = whyNotEntryName(name) ?? (resolve(folder, name).startsWith(root) ? null : "outside of it")
      if (why === null) continue
      return yield* new BadData({
        where: JSON.stringify(name),
        expected: "a file inside the folder",
        received: `a name that is ${why}`,
        fix: "do not unpack it: it is no crate",
      })
    }
    const collision = collisionIn(names)
    if (collision !== null) {
      return yield* new BadData({
        where: collision[1],
        expected: "one file of a name, whatever its case",
        received: `another is ${collision[0]}`,
        fix: "do not unpack it: it is no crate",
      })
    }
    yield* Effect.forEach(names, (name) => writeWhole(join(folder, name), files[name]!), { discard: true })
  })
