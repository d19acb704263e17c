/**
 * How much memory a stage takes: the most that this process and those that it started, such as the engine's, hold together,
 * looked at a few times a second. Told where Linux tells it; anywhere else nothing is told, for a part would mislead.
 */
import { readFileSync } from "node:fs"
import { Effect, type Scope } from "effect"

/** Milliseconds between two looks, each of which takes a fraction of one. */
const interval = 500

/** Bytes in memory of one process; undefined once it is gone. */
const resident = (pid: number): number | undefined => {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch {
    return undefined
  }
}

/** What the main thread has started, as engines are; undefined where the system does not tell. */
const children = (): ReadonlyArray<number> | undefined => {
  try {
    return readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8")
      .split(" ")
      .filter(Boolean)
      .map(Number)
  } catch {
    return undefined
  }
}

/** Bytes that the process and its children hold now. */
const held = (): number | undefined => {
  const [own, others] = [resident(process.pid), children()]
  return own === undefined || others === undefined
    ? undefined
    : others.reduce((sum, pid) => sum + (resident(pid) ?? 0), own)
}

/** Watches from now until the scope closes. @returns the most bytes so far; nothing where the system does not tell */
export const peakMemory: Effect.Effect<() => { readonly memory?: number }, never, Scope.Scope> = Effect.gen(
  function* () {
    const first = held()
    if (first === undefined) return () => ({})
    let most = first
    const look = (): number => {
      most = Math.max(most, held() ?? 0)
      return most
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => setInterval(look, interval).unref()),
      (timer) => Effect.sync(() => clearInterval(timer)),
    )
    return () => ({ memory: look() })
  },
)
