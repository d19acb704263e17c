/** Finds the run that a command names. */
import { join, resolve } from "node:path"
import { BadData, didYouMean, isRunFolder, lookAt, runIds } from "@millrace/core/runs"
import { Effect } from "effect"
import { type Ended, failed, usage } from "./exit.js"

/** The newest run of the folder of runs. */
const newest = "latest"

const isPath = (name: string): boolean => /[/\\]|^\.{1,2}$/.test(name)

const missing = (name: string, root: string, ids: ReadonlyArray<string>, received: string): Ended =>
  usage(
    new BadData({
      where: "run",
      expected: `a run: its name in ${root}, the beginning of one, "${newest}", or the path of its folder`,
      received,
      fix:
        ids.length === 0
          ? `${root} has no run: run a graph first, or give the folder of all runs with --out`
          : isPath(name)
            ? "millrace runs ls  lists the runs that are here"
            : didYouMean(name, ids),
    }),
  )

/**
 * The folder of a run. A name in the folder of all runs goes first, then `latest`, then the beginning of just one name, then a path.
 * @param root  the folder of all runs
 * @returns     a whole path
 * @fails Ended  2: no such run, or the beginning of several; 1: a folder that cannot be read
 */
export const findRun = (name: string, root: string): Effect.Effect<string, Ended> =>
  Effect.gen(function* () {
    const there = (path: string) => isRunFolder(path).pipe(Effect.mapError(failed))
    if (isPath(name)) {
      if (yield* there(resolve(name))) return resolve(name)
      const entry = yield* lookAt(resolve(name)).pipe(Effect.mapError(failed))
      const received = entry === undefined ? `nothing at this path: ${name}` : `${name}, which holds none`
      return yield* missing(name, root, yield* runIds(root).pipe(Effect.mapError(failed)), received)
    }
    const ids = yield* runIds(root).pipe(Effect.mapError(failed))
    if (ids.includes(name)) return resolve(root, name)
    if (name === newest && ids[0] !== undefined) return resolve(root, ids[0])
    const begun = name === "" ? [] : ids.filter((id) => id.startsWith(name))
    if (begun.length === 1) return resolve(root, begun[0]!)
    if (begun.length > 1) {
      return yield* usage(
        new BadData({
          where: "run",
          expected: "the beginning of one run's name",
          received: `"${name}", which ${begun.length} begin with: ${begun.slice(0, 8).join(", ")}`,
          fix: "write more of the name",
        }),
      )
    }
    if (name !== "" && (yield* there(join(process.cwd(), name)))) return resolve(name)
    return yield* missing(name, root, ids, `"${name}"`)
  })
