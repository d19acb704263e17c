/** Files of a folder that is not trusted: read only where they are plain files within it, and no larger than allowed. */
import { constants } from "node:fs"
import { lstat, open, realpath } from "node:fs/promises"
import { join, sep } from "node:path"
import { BadData, messageOf } from "@millrace/core"
import { Effect } from "effect"

export const refused = (where: string, expected: string, received: string, cause?: unknown): BadData =>
  new BadData({
    where,
    expected,
    received,
    fix: 'correct or remove it, or set bad to "skip"',
    ...(cause === undefined ? {} : { cause }),
  })

/** Whether a name leads to a file below its folder on every system: no way up, no drive, no backslash. */
const isWithin = (name: string): boolean =>
  name.split("/").every((part) => part !== "" && part !== "." && part !== ".." && !/[\\:\0]/.test(part))

/**
 * The bytes of one file.
 * @param root  the folder, without symbolic links: as `realpath` gives it
 * @param name  relative to the folder, with slashes
 * @fails  BadData  the name leads out of the folder, or is that of a link or of nothing; or the file is too large
 */
export const plainFile = (root: string, name: string, bytes: number): Effect.Effect<Uint8Array, BadData> => {
  if (!isWithin(name)) return Effect.fail(refused(name, "a file within the folder", `the path ${JSON.stringify(name)}`))
  const path = join(root, name)
  return Effect.tryPromise({
    try: async () => {
      const found = await lstat(path)
      if (found.isSymbolicLink()) throw refused(name, "a plain file", "a symbolic link")
      if (!found.isFile()) throw refused(name, "a plain file", "a folder or device")
      if (!(await realpath(path)).startsWith(root.endsWith(sep) ? root : root + sep)) {
        throw refused(name, "a file within the folder", "a way out of it through a symbolic link")
      }
      // It may have been exchanged since: a link is not followed, and the size is that of what is open.
      const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
      try {
        const { size } = await handle.stat()
        if (size > bytes) throw refused(name, `at most ${bytes / 1e6} MB`, `${size / 1e6} MB`)
        const content = new Uint8Array(size)
        for (let at = 0; at < size; ) {
          const { bytesRead } = await handle.read(content, at, size - at, at)
          if (bytesRead === 0) throw refused(name, `${size} bytes`, `${at}`)
          at += bytesRead
        }
        return content
      } finally {
        await handle.close()
      }
    },
    catch: (error) =>
      error instanceof BadData ? error : refused(name, "a file that can be read", messageOf(error), error),
  })
}
