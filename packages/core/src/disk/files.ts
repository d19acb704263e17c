/** Files as effects: the operations of the disk, with typed errors, and the one way in which a file is written whole. */
import { dirname } from "node:path"
import { Clock, Effect } from "effect"
import { DiskFailed, messageOf } from "../errors.js"
import { Disk, type DiskOperations, type Entry } from "./disk.js"
import { codeOf } from "./nodeDisk.js"

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: "free some space (`millrace gc` removes what no run uses), or give another folder with --out",
  EDQUOT: "free some of your quota (`millrace gc` removes what no run uses), or give another folder with --out",
  EROFS: "the disk is read-only: give another folder with --out",
  EACCES: "make the folder yours, or give another one with --out",
  EPERM: "make the folder yours, or give another one with --out",
  ENOENT: "check the path",
}

/** What went wrong at a path, and what to do about it. */
export const diskFailed = (path: string, expected: string, error: unknown): DiskFailed =>
  new DiskFailed({
    where: path,
    expected,
    received: messageOf(error),
    fix: remedies[codeOf(error) ?? ""] ?? "free some space, or give another folder with --out",
    cause: error,
  })

const using = <A>(
  path: string,
  expected: string,
  use: (disk: DiskOperations) => Promise<A>,
): Effect.Effect<A, DiskFailed> =>
  Effect.flatMap(Disk, (disk) =>
    Effect.tryPromise({ try: () => use(disk), catch: (error) => diskFailed(path, expected, error) }),
  )

/** @fails DiskFailed  it is not there or cannot be read */
export const readFile = (path: string): Effect.Effect<Uint8Array, DiskFailed> =>
  using(path, "a file that can be read", (disk) => disk.read(path))

/** The names in a folder, sorted; none where the folder is not there. */
export const listFolder = (path: string): Effect.Effect<ReadonlyArray<string>, DiskFailed> =>
  using(path, "a folder that can be read", async (disk) =>
    (await disk.look(path))?.kind === "folder" ? disk.list(path) : [],
  )

export const lookAt = (path: string): Effect.Effect<Entry | undefined, DiskFailed> =>
  using(path, "a path that can be looked at", (disk) => disk.look(path))

export const makeFolder = (path: string): Effect.Effect<void, DiskFailed> =>
  using(path, "a folder that can be made", (disk) => disk.makeFolder(path))

export const claimFolder = (path: string): Effect.Effect<boolean, DiskFailed> =>
  using(path, "a folder that can be made", (disk) => disk.claimFolder(path))

export const removeAll = (path: string): Effect.Effect<void, DiskFailed> =>
  using(path, "files that can be removed", (disk) => disk.remove(path))

export const appendTo = (path: string, bytes: Uint8Array): Effect.Effect<void, DiskFailed> =>
  using(path, "a file that can be written", (disk) => disk.append(path, bytes))

export const renameTo = (from: string, to: string): Effect.Effect<void, DiskFailed> =>
  using(to, "a place for a file", async (disk) => {
    await disk.rename(from, to)
    await disk.syncFolder(dirname(to))
  })

/** Tells that a file is in use now. */
export const touch = (path: string): Effect.Effect<void, DiskFailed> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    using(path, "a file that can be written", (disk) => disk.touch(path, now)),
  )

let count = 0

/**
 * Writes a file whole or not at all: under a temporary name beside it, synced, renamed, the folder synced. Whoever reads
 * finds what was there before or all of what is there now, also after a crash.
 * @fails DiskFailed  nothing was changed, and no partial file is left
 */
export const writeWhole = (path: string, content: string | Uint8Array): Effect.Effect<void, DiskFailed> =>
  using(path, "a file that can be written", async (disk) => {
    const folder = dirname(path)
    await disk.makeFolder(folder)
    const temporary = `${path}${temporaryMark}${process.pid}-${count++}`
    try {
      await disk.write(temporary, typeof content === "string" ? new TextEncoder().encode(content) : content)
      await disk.rename(temporary, path)
    } catch (error) {
      await disk.remove(temporary).catch(() => undefined)
      throw error
    }
    await disk.syncFolder(folder)
  })

/** What stands in the name of a file that is not whole yet: a killed process leaves such, and no reader takes it for one. */
export const temporaryMark = ".part-"
