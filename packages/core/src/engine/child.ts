/** The engine's child process: it owns the sessions and the state, and answers requests one after the other. */
import type { HostTensors } from "../tensor.js"
import type { ChildOptions, FromChild, Request, ToChild } from "./protocol.js"
import type { Runner } from "./runner.js"

const options = JSON.parse(process.argv[2] ?? "{}") as ChildOptions

const send = (message: FromChild): void => {
  process.send?.(message)
}
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

// Ctrl-C reaches the whole process group; the main process decides when this one ends.
process.on("SIGINT", () => {})
// Without the main process there is nobody to work for.
process.on("disconnect", () => process.exit(0))

const start = async (): Promise<Runner | null> => {
  try {
    const { InferenceSession, env } = await import("onnxruntime-node")
    const { makeSessions } = await import("./sessions.js")
    const { makeRunner } = await import("./runner.js")
    const sessions = makeSessions((model) =>
      InferenceSession.create(model, {
        executionProviders: ["cpu"],
        intraOpNumThreads: options.threads,
        interOpNumThreads: 1,
        executionMode: "sequential",
        graphOptimizationLevel: "all",
        // One block for all values of a run, planned ahead, takes half as much again as giving each its memory when it is due.
        enableMemPattern: false,
        // Threads that spin between kernels burn a third more CPU time, and on a busy machine double a step's duration.
        extra: { session: { intra_op: { allow_spinning: "0" } } },
        logSeverityLevel: 3,
      }),
    )
    send({ ready: true, version: env.versions.node ?? env.versions.common })
    return makeRunner(sessions)
  } catch (error) {
    send({ ready: false, reason: reasonOf(error) })
    return null
  }
}

const started = start()
const cancelled = new Set<number>()
let finished = 0

const answer = async (runner: Runner, id: number, request: Request): Promise<HostTensors> => {
  switch (request.kind) {
    case "compile":
      await runner.compile(request)
      return {}
    case "fix":
      runner.fix(request)
      return {}
    case "run":
      return runner.run(request)
    case "loop":
      return runner.loop(request, () => cancelled.has(id))
    case "read":
      return runner.read(request.state, request.names)
    case "write":
      runner.write(request.state, request.values)
      return {}
    case "allocate":
      runner.allocate(request.state, request.values)
      return {}
    case "free":
      runner.free(request.state)
      return {}
    case "release":
      await runner.release(request.program)
      return {}
  }
}

let queue: Promise<void> = Promise.resolve()
process.on("message", (message: ToChild) => {
  if ("cancel" in message) {
    if (message.cancel > finished) cancelled.add(message.cancel)
    return
  }
  const { id, request } = message
  queue = queue.then(async () => {
    const runner = await started
    if (runner === null) return
    try {
      // A call that was given up before its turn is not begun, so that it changes nothing.
      if (cancelled.has(id)) throw new Error("cancelled")
      send({ id, ok: true, value: await answer(runner, id, request) })
    } catch (error) {
      send({ id, ok: false, reason: reasonOf(error) })
    } finally {
      finished = id
      cancelled.delete(id)
    }
  })
})
