import { execFile } from "node:child_process"
import { Effect } from "effect"
import type { NativeEngineName } from "../../engine.js"
import { EngineMissing } from "../../errors.js"
import { findTensorFlow } from "./findTensorFlow.js"
import { engineOfPackage } from "./nativeEngine.js"
import { tryAnswer } from "./tryAnswer.js"
import { tryScript } from "./tryNative.js"

/**
 * Tries a native engine in a process of its own: one process has room for one TensorFlow, and a library that does not fit the machine
 * ends it.
 * @returns its version
 * @fails EngineMissing  it is not here, or does not work
 */
export const examineNative = (name: NativeEngineName): Effect.Effect<string, EngineMissing> =>
  Effect.gen(function* () {
    yield* findTensorFlow(name)
    const stdout = yield* Effect.callback<string>((resume) => {
      const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: "2" }
      const child = execFile(process.execPath, [tryScript, name], { env }, (_, text) => resume(Effect.succeed(text)))
      return Effect.sync(() => child.kill())
    })
    const answer = tryAnswer(stdout)
    if (answer !== null && "version" in answer) return answer.version
    return yield* new EngineMissing({
      where: engineOfPackage[name],
      expected: `@tensorflow/${name} to load`,
      received: answer?.received ?? "a process that ended when it loaded it",
      fix: answer?.fix ?? "use another engine: its libraries are not for this processor",
    })
  })
