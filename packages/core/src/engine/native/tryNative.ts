import { fileURLToPath } from "node:url"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import type { NativeEngineName } from "../../engine.js"
import { EngineMissing } from "../../errors.js"
import { withBackend } from "../../tfjs.js"
import { nodeBackend } from "../tfjsBackends.js"
import { findTensorFlow, installedTensorFlow } from "./findTensorFlow.js"
import { engineOfPackage } from "./nativeEngine.js"

/** Of the sum of x·x, whose derivative is the sums of the rows of x beside each other, added to those of its columns. */
const gradient = (): ReadonlyArray<number> =>
  tf.tidy(() => {
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2])
    return Array.from(
      tf
        .grad((of) => tf.sum(tf.matMul(of, of)))(x)
        .dataSync(),
    )
  })

/**
 * Loads an engine and computes with it, in this process, for good: a library that does not fit the machine may end it. So it is done
 * in one of its own, by `tryScript`.
 * @param folder  where it lies; without it, the one that a run would take
 * @returns its version
 * @fails EngineMissing  it does not load or computes something else, or, one for GPUs, finds none
 */
export const tryNative = (name: NativeEngineName, folder?: string): Effect.Effect<string, EngineMissing> =>
  Effect.gen(function* () {
    const refused = (received: string) =>
      new EngineMissing({
        where: engineOfPackage[name],
        expected: "the gradient of a product, 7 11 9 13",
        received,
        fix: "use another engine",
      })
    const installed = folder === undefined ? null : yield* installedTensorFlow(name, folder)
    const found = installed === null ? findTensorFlow(name) : Effect.succeed(installed)
    const { backend, version } = yield* nodeBackend(name, found)
    const computed = yield* Effect.try({
      try: () => withBackend(backend, gradient).join(" "),
      catch: (error) => refused(String(error)),
    })
    return computed === "7 11 9 13" ? version : yield* refused(computed)
  })

/** What a process is started with to try an engine: `node tryScript <name> [folder]`. Its answer is a `TryAnswer`. */
export const tryScript = fileURLToPath(new URL("tryChild.js", import.meta.url))
