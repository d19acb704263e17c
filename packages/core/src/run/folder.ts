/**
 * The folder of one run: plain files that survive any copy. Every file but the events is written under a temporary name,
 * synced and renamed, so a file that is there is whole.
 *
 *   .runs/3f9c2a1b/
 *     graph.json  run.json  environment.json  events.jsonl  digests.json  SUMMARY.txt  report.html
 *     artifacts/<stage>/<output>/…   images/<stage>/<title>/…
 */
import { basename, isAbsolute, join, resolve } from "node:path"
import { Effect } from "effect"
import { attempt } from "../attempt.js"
import { claimFolder, lookAt, makeFolder, readFile, writeWhole } from "../disk/files.js"
import { BadData, type DiskFailed } from "../errors.js"
import { canonicalJson } from "../json.js"
import { keptPath, pathSegment } from "./keptPath.js"
import type { Kept } from "./runGraph.js"

export interface RunFolder {
  /** `3f9c2a1b`, or `3f9c2a1b-2` for the second run of one graph and seed. */
  readonly id: string
  readonly path: string
  /** Writes a file of the folder. `name` may contain folders; it never leaves this one. */
  readonly write: (name: string, content: string | Uint8Array) => Effect.Effect<void, DiskFailed>
  /** Canonical JSON with a newline at the end. @fails BadData the value is not JSON */
  readonly writeJson: (name: string, value: unknown) => Effect.Effect<void, BadData | DiskFailed>
  /** Reads a file of the folder. @fails DiskFailed it is not there or cannot be read */
  readonly read: (name: string) => Effect.Effect<Uint8Array, DiskFailed>
  /** Puts what a stage made under `artifacts/<stage>/<name>/`, images under `images/`. */
  readonly keep: (kept: Kept) => Effect.Effect<void, DiskFailed>
}

/** Makes `<root>/<name>`, or `<name>-2`, `-3`, … if it is there: making it is what claims it, also between processes. */
const claim = (root: string, name: string): Effect.Effect<string, DiskFailed> =>
  Effect.gen(function* () {
    yield* makeFolder(root)
    for (let count = 1; ; count++) {
      const id = count === 1 ? name : `${name}-${count}`
      if (yield* claimFolder(join(root, id))) return id
    }
  })

/**
 * A new folder for a run; an older one is never written to.
 * @param root  the folder of all runs
 * @param name  what decides the run, made short
 * @fails DiskFailed  the folder cannot be made
 */
export const makeRunFolder = (root: string, name: string): Effect.Effect<RunFolder, DiskFailed> =>
  Effect.map(claim(root, pathSegment(name)), (id) => folderAt(resolve(root, id), id))

/** The folder of a run that was begun before. @fails BadData there is no run at the path */
export const openRunFolder = (path: string): Effect.Effect<RunFolder, BadData | DiskFailed> =>
  Effect.gen(function* () {
    const whole = resolve(path)
    if ((yield* lookAt(join(whole, "graph.json")))?.kind === "file") return folderAt(whole, basename(whole))
    return yield* new BadData({
      where: path,
      expected: "the folder of a run, with a graph.json",
      received: (yield* lookAt(whole)) === undefined ? "nothing at this path" : "no graph.json in it",
      fix: "millrace runs ls  lists the runs that are here",
    })
  })

const folderAt = (path: string, id: string): RunFolder => {
  const inside = <A>(
    name: string,
    use: (target: string) => Effect.Effect<A, DiskFailed>,
  ): Effect.Effect<A, DiskFailed> => {
    const target = join(path, name)
    if (isAbsolute(name) || !target.startsWith(join(path, "/"))) {
      return Effect.die(new Error(`internal: "${name}" is outside the run folder`))
    }
    return use(target)
  }
  const write = (name: string, content: string | Uint8Array) => inside(name, (target) => writeWhole(target, content))
  return {
    id,
    path,
    write,
    writeJson: (name, value) =>
      Effect.flatMap(
        attempt(BadData, () => canonicalJson(value)),
        (text) => write(name, `${text}\n`),
      ),
    read: (name) => inside(name, readFile),
    keep: (kept) =>
      Effect.forEach(Object.entries(kept.files), ([name, bytes]) => write(keptPath(kept, name), bytes), {
        discard: true,
      }),
  }
}
