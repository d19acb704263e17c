/** A disk in memory whose k-th operation goes wrong: it dies, tears what it does in half, or has no space left. */
import { dirname, join } from "node:path"
import type { DiskOperations } from "@millrace/core"

export type Fault = "dies" | "tears" | "is full"

export interface MemoryDisk extends DiskOperations {
  /** Operations so far. */
  readonly count: () => number
  /** From operation `at` on (1 is the next) nothing works; full is that operation alone. */
  readonly fault: (at: number, fault: Fault) => void
  /** Works again, and the processes of before are no more. */
  readonly restart: () => void
  readonly paths: () => ReadonlyArray<string>
  readonly files: Map<string, Uint8Array>
}

const failure = (code: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: of the test's disk`), { code })

export const memoryDisk = (): MemoryDisk => {
  const files = new Map<string, Uint8Array>()
  const folders = new Set<string>(["/"])
  let count = 0
  let armed: { readonly at: number; readonly fault: Fault } | undefined
  let dead = false

  const below = (path: string) => [...files.keys(), ...folders].filter((each) => each.startsWith(`${path}/`))
  /** Counts an operation; `half` is what a torn one still does. */
  const operation = async <A>(work: () => A, writes: boolean, half: () => void = () => undefined): Promise<A> => {
    if (dead) throw failure("EIO")
    count++
    if (armed === undefined || count < armed.at) return work()
    const { fault } = armed
    if (fault === "is full") {
      if (!writes) return work()
      armed = undefined
      throw failure("ENOSPC")
    }
    dead = true
    if (fault === "tears") half()
    throw failure("EIO")
  }
  const remove = (paths: ReadonlyArray<string>): void => {
    for (const path of paths) {
      files.delete(path)
      folders.delete(path)
    }
  }
  const there = (path: string): void => {
    if (!folders.has(dirname(path))) throw failure("ENOENT")
  }

  const write: DiskOperations["write"] = (path, bytes) => {
    const put = (length: number) => {
      there(path)
      files.set(path, bytes.slice(0, length))
    }
    return operation(
      () => put(bytes.length),
      true,
      () => put(bytes.length >> 1),
    )
  }

  return {
    files,
    count: () => count,
    paths: () => [...files.keys()].sort(),
    fault: (at, fault) => {
      armed = { at: count + at, fault }
    },
    restart: () => {
      dead = false
      armed = undefined
      for (const [path, bytes] of [...files]) {
        const at = path.indexOf("/running-")
        if (at < 0) continue
        files.delete(path)
        // No process has this number.
        files.set(`${path.slice(0, at)}/running-99999999-1-0`, bytes)
      }
    },
    read: (path) =>
      operation(() => {
        const bytes = files.get(path)
        if (bytes === undefined) throw failure("ENOENT")
        return Uint8Array.from(bytes)
      }, false),
    write,
    writeFrom: async (path, pieces) => {
      const parts: Array<Uint8Array> = []
      for await (const piece of pieces) parts.push(piece)
      return write(path, new Uint8Array(Buffer.concat(parts)))
    },
    append: (path, bytes) => {
      const put = (length: number) => {
        there(path)
        const old = files.get(path) ?? new Uint8Array()
        files.set(path, Uint8Array.from([...old, ...bytes.subarray(0, length)]))
      }
      return operation(
        () => put(bytes.length),
        true,
        () => put(bytes.length >> 1),
      )
    },
    rename: (from, to) =>
      operation(() => {
        there(to)
        const content = files.get(from)
        if (content !== undefined) {
          files.delete(from)
          files.set(to, content)
          return
        }
        if (!folders.has(from)) throw failure("ENOENT")
        if (below(to).length > 0) throw failure("ENOTEMPTY")
        for (const path of [from, ...below(from)]) {
          const moved = to + path.slice(from.length)
          const bytes = files.get(path)
          if (bytes === undefined) folders.add(moved)
          else files.set(moved, bytes)
          remove([path])
        }
      }, true),
    remove: (path) =>
      operation(
        () => remove([path, ...below(path)]),
        false,
        () => remove(below(path).slice(0, Math.ceil(below(path).length / 2))),
      ),
    makeFolder: (path) =>
      operation(() => {
        for (let at = path; !folders.has(at); at = dirname(at)) folders.add(at)
      }, true),
    claimFolder: (path) =>
      operation(() => {
        if (folders.has(path)) return false
        there(path)
        folders.add(path)
        return true
      }, true),
    list: (path) =>
      operation(
        () => [...new Set(below(path).map((each) => each.slice(path.length + 1).split("/")[0]!))].sort(),
        false,
      ),
    look: (path) =>
      operation(() => {
        const bytes = files.get(path)
        if (bytes !== undefined) return { kind: "file" as const, bytes: bytes.length, modified: 0 }
        return folders.has(path) ? { kind: "folder" as const, bytes: 0, modified: 0 } : undefined
      }, false),
    syncFolder: () => operation(() => undefined, false),
    touch: () => operation(() => undefined, false),
  }
}

/** The folder of the only run, if one was begun. */
export const runIn = ({ files }: MemoryDisk, root: string): string | undefined => {
  const ids = [...files.keys()]
    .filter((path) => path.startsWith(`${root}/`) && path.endsWith("/graph.json"))
    .map((path) => path.slice(root.length + 1).split("/")[0]!)
    .sort()
  return ids[0] === undefined ? undefined : join(root, ids[0])
}
