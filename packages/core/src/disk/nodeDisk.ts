/** The machine's own file system. */
import { appendFile, lstat, mkdir, open, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises"
import { platform } from "node:os"
import { dirname, resolve } from "node:path"
import type { DiskOperations } from "./disk.js"

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined

const orElse = async <A, B>(work: Promise<A>, code: string, otherwise: B): Promise<A | B> => {
  try {
    return await work
  } catch (error) {
    if (codeOf(error) === code) return otherwise
    throw error
  }
}

const syncFolder = async (path: string): Promise<void> => {
  // Windows opens no folders; its file systems keep names by themselves.
  if (platform() === "win32") return
  const folder = await open(path, "r")
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

export const nodeDisk: DiskOperations = {
  read: (path) => readFile(path),
  write: async (path, bytes) => {
    const file = await open(path, "w")
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
  },
  writeFrom: async (path, pieces, mode) => {
    const file = await open(path, "w", mode)
    try {
      await writeFile(file, pieces)
      await file.sync()
    } finally {
      await file.close()
    }
  },
  append: (path, bytes) => appendFile(path, bytes),
  rename,
  remove: (path) => rm(path, { recursive: true, force: true }),
  makeFolder: async (path) => {
    const whole = resolve(path)
    const highest = await mkdir(whole, { recursive: true })
    if (highest === undefined) return
    // Each new name is in the folder above it.
    for (let made = whole; made.length >= highest.length; made = dirname(made)) await syncFolder(dirname(made))
  },
  claimFolder: (path) =>
    orElse(
      mkdir(path).then(() => true),
      "EEXIST",
      false,
    ),
  list: async (path) => (await readdir(path)).sort(),
  look: (path) =>
    orElse(
      lstat(path).then((at) => ({
        kind: at.isFile() ? ("file" as const) : at.isDirectory() ? ("folder" as const) : ("other" as const),
        bytes: at.size,
        modified: at.mtimeMs,
      })),
      "ENOENT",
      undefined,
    ),
  syncFolder,
  touch: (path, now) => utimes(path, now / 1000, now / 1000),
}
