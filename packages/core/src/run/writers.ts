/** Which processes say that they are at work in the folder of a run. */
import { readFile as readSystemFile } from "node:fs/promises"
import { Effect } from "effect"
import { listFolder } from "../disk/files.js"
import type { DiskFailed } from "../errors.js"

/** What the name of a claim begins with: `running-<process>-<its start>-<count>`. */
export const writerMark = "running-"

/** When a process began, in ticks since the machine did: a number is given to another process later, and after a restart at once. */
export const startOf = async (pid: number): Promise<string> => {
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

export interface Writer {
  /** The file of its claim. */
  readonly name: string
  readonly pid: number
  /** False for one that was killed and left its claim. */
  readonly alive: boolean
}

/** Every claim on the folder of a run. */
export const writersIn = (path: string): Effect.Effect<ReadonlyArray<Writer>, DiskFailed> =>
  Effect.gen(function* () {
    const writers: Array<Writer> = []
    for (const name of yield* listFolder(path)) {
      const [, pid, start] = new RegExp(`^${writerMark}(\\d+)-(\\d+)-\\d+$`).exec(name) ?? []
      if (pid === undefined || start === undefined) continue
      writers.push({ name, pid: Number(pid), alive: yield* Effect.promise(() => isThere(Number(pid), start)) })
    }
    return writers
  })
