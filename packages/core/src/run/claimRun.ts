/** One process at a time in the folder of a run: each says that it is there, and looks whether another is. */
import { readFile as readSystemFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { listFolder, removeAll, writeWhole } from "../disk/files.js"
import { BadData, type DiskFailed } from "../errors.js"

const mark = "running-"

/** When a process began, in ticks since the machine did: a number is given to another process later, and after a restart at once. */
const startOf = async (pid: number): Promise<string> => {
  try {
    const stat = await readSystemFile(`/proc/${pid}/stat`, "utf8")
    // Its second field is a name, which may hold spaces and brackets.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "0"
  } catch {
    return "0"
  }
}

const isThere = async (pid: number, start: string): Promise<boolean> => {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // It is there and belongs to somebody else.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false
  }
  return (await startOf(pid)) === start
}

let count = 0

/**
 * Claims the folder of a run as long as the scope is open. A process that was killed leaves its claim, which holds nobody up. Of two
 * that come at once at most one gets it: each claims before it looks.
 * @fails BadData  another process is at work in it
 */
export const claimRun = (path: string): Effect.Effect<void, BadData | DiskFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const own = `${mark}${process.pid}-${yield* Effect.promise(() => startOf(process.pid))}-${count++}`
    yield* Effect.acquireRelease(writeWhole(join(path, own), ""), () => Effect.ignore(removeAll(join(path, own))))
    for (const name of yield* listFolder(path)) {
      const [, pid, start] = /^running-(\d+)-(\d+)-\d+$/.exec(name) ?? []
      if (pid === undefined || start === undefined || name === own) continue
      if (yield* Effect.promise(() => isThere(Number(pid), start))) {
        return yield* new BadData({
          where: path,
          expected: "a run that no process is at work on",
          received: `process ${pid}, which is`,
          fix: `wait for it, or stop it: kill ${pid}`,
        })
      }
      yield* Effect.ignore(removeAll(join(path, name)))
    }
  })
