/** The machine that an engine is installed on: what it is, and the programs that it has. A service, so that tests can be another. */
import { spawn } from "node:child_process"
import { readFile, statfs } from "node:fs/promises"
import { dirname } from "node:path"
import { Context } from "effect"

export interface Ran {
  /** Null where a signal ended it. */
  readonly code: number | null
  readonly signal: string | null
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly signal: AbortSignal
  readonly env?: Readonly<Record<string, string>>
  /** What it prints goes to stderr as it comes, and is not kept. */
  readonly shown?: boolean
}

export interface HostOperations {
  /** `linux`, `darwin`, as Node says. */
  readonly platform: string
  readonly arch: string
  /** The version of glibc; undefined where the C library is another. */
  readonly glibc: string | undefined
  /** Runs a program to its end. Rejects, with Node's error, only where it does not start. */
  readonly run: (command: string, args: ReadonlyArray<string>, options: RunOptions) => Promise<Ran>
  /** Bytes that may be written in a folder, or in the nearest one above it that is there. */
  readonly freeBytes: (folder: string) => Promise<number>
  /** A small file of the system; undefined where it is not there. */
  readonly text: (path: string) => Promise<string | undefined>
}

/** On Windows npm is a batch file, which only a shell starts; what it is given is quoted for that. */
const start: HostOperations["run"] = (command, args, { signal, env, shown = false }) => {
  const shell = process.platform === "win32" && command === "npm"
  return new Promise((resolve, reject) => {
    const child = spawn(command, shell ? args.map((arg) => `"${arg}"`) : args, {
      signal,
      shell,
      stdio: ["ignore", shown ? process.stderr : "pipe", "pipe"],
      env: { ...process.env, ...env },
    })
    const texts = { out: "", err: "" }
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      texts.out += text
    })
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      texts.err += text
    })
    // One that is stopped has ended only when it closes: what it writes is removed after that.
    child.on("error", (error) => (error.name === "AbortError" ? undefined : reject(error)))
    child.on("close", (code, ended) => resolve({ code, signal: ended, ...texts }))
  })
}

const freeBytes = async (folder: string): Promise<number> => {
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  } catch (error) {
    if (dirname(folder) === folder) throw error
    return freeBytes(dirname(folder))
  }
}

/** Of glibc in this process, as Node's own report says; musl says nothing. */
const glibcOf = (): string | undefined => {
  const { header }: { readonly header?: { readonly glibcVersionRuntime?: unknown } } = process.report.getReport()
  return typeof header?.glibcVersionRuntime === "string" ? header.glibcVersionRuntime : undefined
}

const thisMachine = (): HostOperations => ({
  platform: process.platform,
  arch: process.arch,
  glibc: process.platform === "linux" ? glibcOf() : undefined,
  run: start,
  freeBytes,
  text: (path) => readFile(path, "utf8").catch(() => undefined),
})

export const Host: Context.Reference<HostOperations> = Context.Reference("millrace/Host", {
  defaultValue: thisMachine,
})
