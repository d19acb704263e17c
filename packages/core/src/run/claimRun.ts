/** One process at a time in a folder, as that of a run: each says that it is there, and looks whether another is. */
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { removeAll, writeWhole } from "../disk/files.js"
import { BadData, type DiskFailed } from "../errors.js"
import { startOf, writerMark, writersIn } from "./writers.js"

let count = 0

/**
 * Claims a folder as long as the scope is open. A process that was killed leaves its claim, which holds nobody up. Of two
 * that come at once at most one gets it: each claims before it looks.
 * @fails BadData  another process is at work in it
 */
export const claimRun = (
  path: string,
  expected = "a run that no process is at work on",
): Effect.Effect<void, BadData | DiskFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const own = `${writerMark}${process.pid}-${yield* Effect.promise(() => startOf(process.pid))}-${count++}`
    yield* Effect.acquireRelease(writeWhole(join(path, own), ""), () => Effect.ignore(removeAll(join(path, own))))
    for (const { name, pid, alive } of yield* writersIn(path)) {
      if (name === own) continue
      if (alive) {
        return yield* new BadData({
          where: path,
          expected,
          received: `process ${pid}, which is`,
          fix: `wait for it, or stop it: kill ${pid}`,
        })
      }
      yield* Effect.ignore(removeAll(join(path, name)))
    }
  })
