/** Memory of other processes, from Linux's /proc. Elsewhere nothing is measured. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"

const field = (pid: number, name: "VmHWM" | "VmRSS"): number | null => {
  try {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))
    return found === null ? null : Number(found[1]) * 1024
  } catch {
    return null
  }
}

/** The most that a process has held resident since it started, or since `resetPeak`; in bytes. */
export const peakBytes = (pid: number): number | null => field(pid, "VmHWM")

/** What a process holds resident now, in bytes. */
export const residentBytes = (pid: number): number | null => field(pid, "VmRSS")

/** Starts a process's peak anew, at what it holds now. */
export const resetPeak = (pid: number): void => {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5")
  } catch {
    // Where it cannot be reset the peak stays that of the whole life, which is never less.
  }
}

/** The processes that a process has started and that still run. */
export const childrenOf = (pid: number): ReadonlyArray<number> => {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((other) => parentOf(other) === pid)
  } catch {
    return []
  }
}

const parentOf = (pid: number): number | null => {
  try {
    // The name of the program, in parentheses, may hold anything.
    const after = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\)/s, "")
    return Number(after.trim().split(" ")[1])
  } catch {
    return null
  }
}
