/** The main process's end of an engine's child process: start, ask, stop. */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Effect, type Scope } from "effect"
import { EngineFailed, EngineMissing } from "../errors.js"
import type { Answer, ChildOptions, FromChild, Request, ToChild } from "./protocol.js"

/** A running child process. */
export interface Remote {
  /** The version of onnxruntime-node. */
  readonly version: string
  /**
   * One request. Interruption gives it up: a call that has not begun never begins, a loop ends after its present step.
   * @param what  what is being done, for the error: `sft.step`
   */
  readonly ask: <const R extends Request>(what: string, request: R) => Effect.Effect<Answer<R>, EngineFailed>
  /** A request that nobody waits for. */
  readonly tell: (request: Request) => Effect.Effect<void>
}

const failed = (where: string, received: string, fix: string): EngineFailed =>
  new EngineFailed({ where, expected: "the engine to finish the call", received, fix })

const endOf = (code: number | null, signal: NodeJS.Signals | null, log: string): string => {
  const how = signal === null ? `exit code ${code}` : `signal ${signal}`
  return `its process ended (${how})${log === "" ? "" : `\n${log}`}`
}

/** What a native library last wrote to stderr says more than a signal does. */
const lastLines = (process: ChildProcess): (() => string) => {
  let text = ""
  process.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    text = (text + chunk).slice(-600)
  })
  return () => text.trim().split("\n").slice(-3).join("\n")
}

interface Waiting {
  readonly what: string
  readonly done: (message: Extract<FromChild, { readonly id: number }>) => void
  readonly ended: (reason: string) => void
}

interface Running {
  readonly process: ChildProcess
  readonly remote: Remote
}

const missing = ({ provider }: ChildOptions, received: string): EngineMissing =>
  provider === "cpu"
    ? new EngineMissing({
        where: "onnx",
        expected: "onnxruntime-node to load",
        received,
        fix: "run npm install; where its binaries do not exist for this machine use the engine tfjs:wasm",
      })
    : new EngineMissing({
        where: `onnx:${provider}`,
        expected: "a GPU that ONNX Runtime's webgpu provider finds and computes a matrix product on",
        received: received.replace(/^.*?(?=Failed to get)/s, "").trim(),
        fix: "install the GPU's driver (on Linux with its Vulkan library, libvulkan.so.1), or use the engine onnx",
      })

/**
 * Asks glibc for pages of 2 MB: what a step reads of weights and caches is more than the processor has addresses of 4 kB pages for.
 * And for pages of its own for each block from 2 MB on, which go back when it is freed: weights as they come would leave holes among
 * the packed ones.
 */
const malloc = { GLIBC_TUNABLES: `glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=${2 ** 21}` }

const launch = (options: ChildOptions): Effect.Effect<Running, EngineMissing | EngineFailed> =>
  Effect.callback((resume) => {
    const child = fork(fileURLToPath(new URL("./child.js", import.meta.url)), [JSON.stringify(options)], {
      serialization: "advanced",
      // ONNX Runtime 1.30 reports sessions to its makers and keeps files for it, unless it is told not to.
      env: { ...malloc, ...process.env, ORT_DISABLE_TELEMETRY: "1" },
      execArgv: ["--expose-gc"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    })
    const log = lastLines(child)
    const waiting = new Map<number, Waiting>()
    let lastId = 0
    let ended: string | null = null

    const end = (reason: string): void => {
      ended ??= reason
      for (const { ended: fail } of waiting.values()) fail(reason)
      waiting.clear()
      // Ignored once the child has reported ready. A driver that crashes in the probe is no GPU to compute with.
      resume(
        Effect.fail(
          options.probe === null
            ? failed("onnx", reason, "run `millrace engines` to see what this machine has")
            : missing(options, reason),
        ),
      )
    }
    child.on("error", (error) => end(error.message))
    // "close" comes after the last of stderr, "exit" may come before it.
    child.on("close", (code, signal) => end(endOf(code, signal, log())))

    const send = (message: ToChild): void => {
      if (ended === null && child.connected) child.send(message, () => {})
    }
    const ask: Remote["ask"] = <const R extends Request>(what: string, request: R) =>
      Effect.callback<Answer<R>, EngineFailed>((done) => {
        const fail = (reason: string): void =>
          done(Effect.fail(failed(what, reason, "start the engine again: its state is lost, go on from a checkpoint")))
        if (ended !== null || !child.connected) return fail(ended ?? "its process has ended")
        const id = ++lastId
        waiting.set(id, {
          what,
          done: (message) =>
            done(
              message.ok
                ? Effect.succeed(message.value as Answer<R>)
                : Effect.fail(failed(what, message.reason, "see the reason above; state is as it was before the call")),
            ),
          ended: fail,
        })
        send({ id, request })
        return Effect.sync(() => {
          if (waiting.delete(id)) send({ cancel: id })
        })
      })
    const tell: Remote["tell"] = (request) => Effect.sync(() => send({ id: ++lastId, request }))

    child.on("message", (message: FromChild) => {
      if ("id" in message) {
        const found = waiting.get(message.id)
        waiting.delete(message.id)
        found?.done(message)
      } else if (message.ready) {
        resume(Effect.succeed({ process: child, remote: { version: message.version, ask, tell } }))
      } else {
        child.kill("SIGKILL")
        resume(Effect.fail(missing(options, message.reason)))
      }
    })
    return Effect.sync(() => {
      child.kill("SIGKILL")
    })
  })

/** A kill takes milliseconds; where it takes longer than this, in ms, nobody waits for it. */
const patience = 2000

/** Killed, not asked: a native call cannot be interrupted. Waits until the process is gone. */
const end = (process: ChildProcess): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (process.exitCode !== null || process.signalCode !== null) return resume(Effect.void)
    process.once("exit", () => resume(Effect.void))
    process.kill("SIGKILL")
  }).pipe(Effect.timeoutOption(patience), Effect.asVoid)

/** A child process that lives as long as the scope. */
export const startRemote = (options: ChildOptions): Effect.Effect<Remote, EngineMissing | EngineFailed, Scope.Scope> =>
  Effect.acquireRelease(launch(options), ({ process }) => end(process)).pipe(Effect.map(({ remote }) => remote))
