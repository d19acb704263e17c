/** The main process's end of an engine's child process: start, ask, stop. */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Effect, type Scope } from "effect"
import { EngineFailed, EngineMissing } from "../errors.js"
import type { HostTensors } from "../tensor.js"
import type { ChildOptions, FromChild, Request, ToChild } from "./protocol.js"

/** A running child process. */
export interface Remote {
  /** The version of onnxruntime-node. */
  readonly version: string
  /**
   * One request. Interruption gives it up: a call that has not begun never begins, a loop ends after its present step.
   * @param what  what is being done, for the error: `sft.step`
   */
  readonly ask: (what: string, request: Request) => Effect.Effect<HostTensors, EngineFailed>
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

const remedy = "run npm install; where its binaries do not exist for this machine use the engine tfjs:wasm"

const launch = (options: ChildOptions): Effect.Effect<Running, EngineMissing | EngineFailed> =>
  Effect.callback((resume) => {
    const child = fork(fileURLToPath(new URL("./child.js", import.meta.url)), [JSON.stringify(options)], {
      serialization: "advanced",
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
      // Ignored once the child has reported ready.
      resume(Effect.fail(failed("onnx", reason, "run `millrace doctor` to see what this machine has")))
    }
    child.on("error", (error) => end(error.message))
    // "close" comes after the last of stderr, "exit" may come before it.
    child.on("close", (code, signal) => end(endOf(code, signal, log())))

    const send = (message: ToChild): void => {
      if (ended === null && child.connected) child.send(message, () => {})
    }
    const ask: Remote["ask"] = (what, request) =>
      Effect.callback((done) => {
        const fail = (reason: string): void =>
          done(Effect.fail(failed(what, reason, "start the engine again: its state is lost, go on from a checkpoint")))
        if (ended !== null || !child.connected) return fail(ended ?? "its process has ended")
        const id = ++lastId
        waiting.set(id, {
          what,
          done: (message) =>
            done(
              message.ok
                ? Effect.succeed(message.value)
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
        resume(
          Effect.fail(
            new EngineMissing({
              where: "onnx",
              expected: "onnxruntime-node to load",
              received: message.reason,
              fix: remedy,
            }),
          ),
        )
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
