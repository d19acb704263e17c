/** The benchmark's end of the conversation with one worker. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { Schema } from "effect"
import { Failed, Hello, type Request } from "./protocol.js"

export interface Worker {
  readonly pid: number
  readonly hello: typeof Hello.Type
  /** One request. Throws what the worker says went wrong, or that it has ended. */
  readonly ask: <S extends Schema.Top & { readonly DecodingServices: never }>(
    answer: S,
    request: Request,
  ) => Promise<S["Type"]>
  readonly stop: () => Promise<void>
}

/** What to start. */
export interface Command {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts a worker and waits for its hello. A program that cannot be started is `missing`, as one that says so is. */
export const startWorker = async ({ command, args, environment }: Command): Promise<Worker> => {
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  })
  let log = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-2000)
  })
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message))
    child.once("close", (code, signal) => resolve(`it ended (${signal ?? `exit code ${code}`})\n${log.trim()}`))
  })
  child.stdin.on("error", () => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<unknown> => {
    const line = await lines.next()
    if (line.done) throw new Error(await ended)
    return JSON.parse(line.value)
  }
  const ask: Worker["ask"] = async (answer, request) => {
    child.stdin.write(`${JSON.stringify(request)}\n`)
    const value = await next()
    const failed = Schema.decodeUnknownOption(Failed)(value)
    if (failed._tag === "Some") throw new Error(failed.value.error)
    return Schema.decodeUnknownSync(answer)(value)
  }
  const stop = async (): Promise<void> => {
    child.stdin.end()
    await ended
  }
  try {
    return { pid: child.pid ?? 0, hello: Schema.decodeUnknownSync(Hello)(await next()), ask, stop }
  } catch (error) {
    const missing = error instanceof Error ? error.message : String(error)
    return { pid: 0, hello: { missing }, ask, stop: async () => {} }
  }
}
