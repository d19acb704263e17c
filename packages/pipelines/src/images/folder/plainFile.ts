/** Files of a folder that is not trusted: read only where they are plain files within it, and no larger than allowed. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, realpathSync } from "node:fs"
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

/** Up to `bytes` bytes of an open file, from a place in it. */
const readFrom = (file: number, offset: number, bytes: number): Uint8Array => {
  const content = new Uint8Array(bytes)
  let at = 0
  while (at < bytes) {
    const read = readSync(file, content, at, bytes - at, offset + at)
    if (read === 0) break
    at += read
  }
  return content.subarray(0, at)
}

/** Opens a file, not following a link, for as long as the work takes. */
const opened = <A>(path: string, work: (file: number) => A): A => {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  try {
    return work(file)
  } finally {
    closeSync(file)
  }
}

const reading = <A>(name: string, work: () => A): Effect.Effect<A, BadData> =>
  Effect.try({
    try: work,
    catch: (error) =>
      error instanceof BadData ? error : refused(name, "a file that can be read", messageOf(error), error),
  })

/** A piece of a file of the folder. Calls that wait are a tenth of the time of those that do not, for small files. */
export const pieceOf = (
  root: string,
  name: string,
  offset: number,
  bytes: number,
): Effect.Effect<Uint8Array, BadData> =>
  reading(name, () => opened(join(root, name), (file) => readFrom(file, offset, bytes)))

/**
 * The bytes of one file.
 * @param root  the folder, without symbolic links: as `realpath` gives it
 * @param name  relative to the folder, with slashes
 * @fails  BadData  the name leads out of the folder, or is that of a link or of nothing; or the file is too large
 */
export const plainFile = (root: string, name: string, bytes: number): Effect.Effect<Uint8Array, BadData> =>
  reading(name, () => {
    if (!isWithin(name)) throw refused(name, "a file within the folder", `the path ${JSON.stringify(name)}`)
    const path = join(root, name)
    if (!lstatSync(path).isFile()) throw refused(name, "a plain file", "a link, folder or device")
    if (!realpathSync.native(path).startsWith(root.endsWith(sep) ? root : root + sep)) {
      throw refused(name, "a file within the folder", "a way out of it through a symbolic link")
    }
    return opened(path, (file) => {
      // It may have been exchanged since it was looked at: what counts is what is open.
      const { size } = fstatSync(file)
      if (size > bytes) throw refused(name, `at most ${bytes / 1e6} MB`, `${size / 1e6} MB`)
      return readFrom(file, 0, size)
    })
  })
