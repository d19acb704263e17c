import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { BadData, type Files, messageOf } from "@millrace/core"
import { Effect } from "effect"

/**
 * The files of a folder, by their paths in it.
 * @param wanted  files, and folders that end in a slash
 * @fails BadData  one is not there or cannot be read
 */
export const filesOf = (folder: string, wanted: ReadonlyArray<string>, fix: string): Effect.Effect<Files, BadData> =>
  Effect.tryPromise({
    try: async () => {
      const inFolders = await Promise.all(
        wanted.map(async (name) => {
          if (!name.endsWith("/")) return [name]
          const entries = await readdir(join(folder, name), { recursive: true, withFileTypes: true })
          return entries
            .filter((entry) => entry.isFile())
            .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, "/").length).replaceAll("\\", "/"))
        }),
      )
      const files: Record<string, Uint8Array> = {}
      for (const name of inFolders.flat().sort()) files[name] = await readFile(join(folder, name))
      return files
    },
    catch: (cause) =>
      new BadData({ where: folder, expected: wanted.join(", "), received: messageOf(cause), fix, cause }),
  })
