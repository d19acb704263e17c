import { InstallFailed, tryAnswer, tryScript } from "@millrace/core"
import type { NativeEngineName } from "@millrace/core/engine"
import { Effect } from "effect"
import { runProgram } from "./program.js"

/**
 * Loads an engine in a process of its own, which it may end, and computes with it.
 * @fails InstallFailed  it does not load here, or computes something else
 */
export const tryEngine = (name: NativeEngineName, folder: string): Effect.Effect<void, InstallFailed> =>
  Effect.gen(function* () {
    const ran = yield* runProgram([process.execPath, tryScript, name, folder], { env: { TF_CPP_MIN_LOG_LEVEL: "2" } })
    if (ran?.code === 0) return
    const answer = tryAnswer(ran?.out ?? "")
    const said = answer !== null && "received" in answer ? answer : undefined
    const ended = ran === null ? "Node does not start" : `it ended with ${ran.signal ?? `code ${ran.code}`}`
    return yield* new InstallFailed({
      where: `${name} in a process of its own`,
      expected: "the engine to load and to compute a gradient",
      received: said?.received || ran?.err.trim().split("\n").slice(-8).join("\n") || ended,
      fix: said?.fix ?? "use another engine: `millrace engines` tells which are here",
    })
  })
