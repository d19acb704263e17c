/** The engine's child process: it owns the sessions and the state, and answers requests one after the other. */
import { wholeModel } from "./model.js"
import type { Profiler } from "./profiler.js"
import type { Answer, ChildOptions, FromChild, Request, ToChild } from "./protocol.js"
import type { Runner } from "./runner.js"

const options = JSON.parse(process.argv[2] ?? "{}") as ChildOptions

const send = (message: FromChild): void => {
  process.send?.(message)
}
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

// Ctrl-C reaches the whole process group, a service manager's SIGTERM all processes of the service: the main process decides
// when this one ends, which may be at the end of a step.
process.on("SIGINT", () => {})
process.on("SIGTERM", () => {})
// Without the main process there is nobody to work for.
process.on("disconnect", () => process.exit(0))

interface Started {
  readonly runner: Runner
  readonly profiler: Profiler
}

const start = async (): Promise<Started | null> => {
  try {
    const { env } = await import("onnxruntime-node")
    const { makeSession, runProbe } = await import("./makeSession.js")
    const { makeSessions } = await import("./sessions.js")
    const { makeRunner } = await import("./runner.js")
    const { makeProfiler } = await import("./profiler.js")
    const session = makeSession(options)
    if (options.probe !== null) await runProbe(session, options.probe)
    const profiler = makeProfiler(makeSessions(session.plain), session.recording)
    send({ ready: true, version: env.versions.node ?? env.versions.common })
    return { profiler, runner: makeRunner(profiler.sessions, profiler.work) }
  } catch (error) {
    send({ ready: false, reason: reasonOf(error) })
    return null
  }
}

const started = start()
const cancelled = new Set<number>()
let finished = 0

const answer = async ({ runner, profiler }: Started, id: number, request: Request): Promise<Answer> => {
  switch (request.kind) {
    case "compile":
      await runner.compile(request)
      return {}
    case "fix":
      runner.fix(request)
      return {}
    case "run":
      return profiler.call(() => runner.run(request))
    case "loop":
      return runner.loop(request, () => cancelled.has(id))
    case "read":
      return runner.read(request.state, request.ranges)
    case "write":
      runner.write(request.state, request.pieces)
      return {}
    case "allocate":
      runner.allocate(request.state, request.specs)
      return {}
    case "free":
      runner.free(request.state)
      return {}
    case "release":
      await runner.release(request.program)
      return {}
    case "profile": {
      const { hash, model } = runner.compiled(request.program)
      await profiler.begin(hash, wholeModel(model), request.folder)
      return {}
    }
    case "profiled":
      return profiler.end()
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
    const engine = await started
    if (engine === null) return
    try {
      // A call that was given up before its turn is not begun, so that it changes nothing.
      if (cancelled.has(id)) throw new Error("cancelled")
      send({ id, ok: true, value: await answer(engine, id, request) })
    } catch (error) {
      send({ id, ok: false, reason: reasonOf(error) })
    } finally {
      finished = id
      cancelled.delete(id)
    }
  })
})
