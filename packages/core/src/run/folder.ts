/**
 * The folder of one run: plain files that survive any copy. Every file but the events is written under a temporary name,
 * synced and renamed, so a file that is there is whole.
 *
 *   .runs/3f9c2a1b/
 *     graph.json  environment.json  events.jsonl  digests.json  SUMMARY.txt  report.html
 *     artifacts/<stage>/<output>/…   images/<stage>/<title>/…
 */
import { mkdir, open, readFile, rename, rm } from "node:fs/promises"
import { dirname, isAbsolute, join, resolve } from "node:path"
import { Effect } from "effect"
import { attempt } from "../attempt.js"
import { BadData, messageOf } from "../errors.js"
import { canonicalJson } from "../json.js"
import { keptPath, pathSegment } from "./keptPath.js"
import type { Kept } from "./runGraph.js"

export interface RunFolder {
  /** `3f9c2a1b`, or `3f9c2a1b-2` for the second run of one graph and seed. */
  readonly id: string
  readonly path: string
  /** Writes a file of the folder. `name` may contain folders; it never leaves this one. */
  readonly write: (name: string, content: string | Uint8Array) => Effect.Effect<void, BadData>
  /** Canonical JSON with a newline at the end. */
  readonly writeJson: (name: string, value: unknown) => Effect.Effect<void, BadData>
  /** Reads a file of the folder. @fails BadData it is not there or cannot be read */
  readonly read: (name: string) => Effect.Effect<Uint8Array, BadData>
  /** Puts what a stage made under `artifacts/<stage>/<name>/`, images under `images/`. */
  readonly keep: (kept: Kept) => Effect.Effect<void, BadData>
}

const failed = (path: string, error: unknown): BadData =>
  new BadData({
    where: path,
    expected: "a folder that can be written",
    received: messageOf(error),
    fix: "free some space, or give another folder with --out",
  })

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
  const inside = <A>(name: string, use: (target: string) => Promise<A>): Effect.Effect<A, BadData> => {
    const target = join(path, name)
    if (isAbsolute(name) || !target.startsWith(join(path, "/"))) {
      return Effect.die(new Error(`internal: "${name}" is outside the run folder`))
    }
    return Effect.tryPromise({ try: () => use(target), catch: (error) => failed(target, error) })
  }
  const write = (name: string, content: string | Uint8Array): Effect.Effect<void, BadData> =>
    inside(name, (target) => writeWhole(target, content))
  return {
    id,
    path,
    write,
    writeJson: (name, value) =>
      Effect.flatMap(
        attempt(BadData, () => canonicalJson(value)),
        (text) => write(name, `${text}\n`),
      ),
    read: (name) => inside(name, async (target): Promise<Uint8Array> => readFile(target)),
    keep: (kept) =>
      Effect.forEach(Object.entries(kept.files), ([name, bytes]) => write(keptPath(kept, name), bytes), {
        discard: true,
      }),
  }
}
