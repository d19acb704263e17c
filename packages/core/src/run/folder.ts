/**
 * The folder of one run: plain files that survive any copy. Every file but the events is written under a temporary name,
 * synced and renamed, so a file that is there is whole.
 *
 *   .runs/3f9c2a1b/
 *     graph.json  environment.json  events.jsonl  digests.json  SUMMARY.txt  report.html
 *     artifacts/<stage>/<output>/…
 */
import { mkdir, open, rename, rm } from "node:fs/promises"
import { dirname, isAbsolute, join, resolve } from "node:path"
import { Effect } from "effect"
import { type Files, sha256 } from "../artifact.js"
import { attempt } from "../attempt.js"
import { BadData } from "../errors.js"
import { canonicalJson } from "../json.js"
import { messageOf } from "./message.js"
import type { Kept } from "./runGraph.js"

export interface RunFolder {
  /** `3f9c2a1b`, or `3f9c2a1b-2` for the second run of one graph and seed. */
  readonly id: string
  readonly path: string
  /** Writes a file of the folder. `name` may contain folders; it never leaves this one. */
  readonly write: (name: string, content: string | Uint8Array) => Effect.Effect<void, BadData>
  /** Canonical JSON with a newline at the end. */
  readonly writeJson: (name: string, value: unknown) => Effect.Effect<void, BadData>
  /** Puts what a stage made under `artifacts/<stage>/<name>/`. */
  readonly keep: (kept: Kept) => Effect.Effect<void, BadData>
}

const failed = (path: string, error: unknown): BadData =>
  new BadData({
    where: path,
    expected: "a folder that can be written",
    received: messageOf(error),
    fix: "free some space, or give another folder with --out",
  })

const longest = 120

/** One segment of a path for any name: what is no plain character is percent-encoded, and a long name ends in its hash. */
export const pathSegment = (name: string): string => {
  const plain = name
    .replace(/[^A-Za-z0-9._ @+=-]/gu, (character) => {
      // Half a pair has no bytes in UTF-8.
      if (/\p{Surrogate}/u.test(character)) return `%u${character.charCodeAt(0).toString(16)}`
      const bytes = [...new TextEncoder().encode(character)]
      return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("")
    })
    .replace(/^\.+|[. ]+$/g, (ends) => [...ends].map((end) => (end === "." ? "%2E" : "%20")).join(""))
  if (plain === "") return "%00"
  return plain.length <= longest ? plain : `${plain.slice(0, longest)}-${sha256(name).slice(0, 16)}`
}

const writeWhole = async (path: string, content: string | Uint8Array): Promise<void> => {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.part-${process.pid}`
  try {
    const file = await open(temporary, "w")
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}

const isTaken = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "EEXIST"

/** Makes `<root>/<name>`, or `<name>-2`, `-3`, … if it is there: making it is what claims it, also between processes. */
const claim = async (root: string, name: string): Promise<string> => {
  await mkdir(root, { recursive: true })
  for (let count = 1; ; count++) {
    const id = count === 1 ? name : `${name}-${count}`
    try {
      await mkdir(join(root, id))
      return id
    } catch (error) {
      if (!isTaken(error)) throw error
    }
  }
}

/**
 * A new folder for a run; an older one is never written to.
 * @param root  the folder of all runs
 * @param name  what decides the run, made short
 * @fails BadData  the folder cannot be made
 */
export const makeRunFolder = (root: string, name: string): Effect.Effect<RunFolder, BadData> =>
  Effect.tryPromise({
    try: async () => {
      const id = await claim(root, pathSegment(name))
      return folderAt(resolve(root, id), id)
    },
    catch: (error) => failed(root, error),
  })

const folderAt = (path: string, id: string): RunFolder => {
  const write = (name: string, content: string | Uint8Array): Effect.Effect<void, BadData> => {
    const target = join(path, name)
    if (isAbsolute(name) || !target.startsWith(join(path, "/"))) {
      return Effect.die(new Error(`internal: "${name}" is outside the run folder`))
    }
    return Effect.tryPromise({ try: () => writeWhole(target, content), catch: (error) => failed(target, error) })
  }
  const writeAll = (folder: string, files: Files): Effect.Effect<void, BadData> =>
    Effect.forEach(
      Object.entries(files),
      ([name, bytes]) => write(join(folder, ...name.split("/").map(pathSegment)), bytes),
      { discard: true },
    )
  return {
    id,
    path,
    write,
    writeJson: (name, value) =>
      Effect.flatMap(
        attempt(BadData, () => canonicalJson(value)),
        (text) => write(name, `${text}\n`),
      ),
    keep: ({ stage, name, files }) => writeAll(join("artifacts", pathSegment(stage), pathSegment(name)), files),
  }
}
