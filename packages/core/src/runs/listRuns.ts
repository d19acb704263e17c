/** The runs of a folder. */
import { join } from "node:path"
import { Effect } from "effect"
import { listFolder, lookAt, readFile } from "../disk/files.js"
import type { DiskFailed } from "../errors.js"
import { parseJson } from "../json.js"
import { isRunFolder, type RunFacts, readRunFacts } from "./runFacts.js"

/** When a run began, in milliseconds since 1970; of one that does not say, when its folder was changed last. */
const beganAt = (path: string): Effect.Effect<number, DiskFailed> =>
  Effect.gen(function* () {
    const file = join(path, "environment.json")
    const json =
      (yield* lookAt(file))?.kind === "file"
        ? yield* parseJson(new TextDecoder().decode(yield* readFile(file)), file).pipe(
            Effect.catchTag("BadData", () => Effect.succeed(undefined)),
          )
        : undefined
    const label = typeof json === "object" && json !== null && "startedAt" in json ? json.startedAt : undefined
    const told = typeof label === "string" ? Date.parse(label) : Number.NaN
    return Number.isNaN(told) ? ((yield* lookAt(path))?.modified ?? 0) : told
  })

/** The names of the folders in `root` that hold a run, the newest first. What begins with a dot, as the store does, is none. */
export const runIds = (root: string): Effect.Effect<ReadonlyArray<string>, DiskFailed> =>
  Effect.gen(function* () {
    const found: Array<{ readonly id: string; readonly at: number }> = []
    for (const id of yield* listFolder(root)) {
      if (id.startsWith(".") || !(yield* isRunFolder(join(root, id)))) continue
      found.push({ id, at: yield* beganAt(join(root, id)) })
    }
    return found.sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1)).map(({ id }) => id)
  })

/** Every run of a folder, the newest first, without the steps of its stages. */
export const listRuns = (root: string): Effect.Effect<ReadonlyArray<RunFacts>, DiskFailed> =>
  Effect.flatMap(runIds(root), (ids) => Effect.forEach(ids, (id) => readRunFacts(join(root, id), { steps: false })))
