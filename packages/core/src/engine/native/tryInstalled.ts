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

const usesGpu = (): boolean => {
  const backend: unknown = tf.findBackend("tensorflow")
  return (
    typeof backend === "object" &&
    backend !== null &&
    "isUsingGpuDevice" in backend &&
    backend.isUsingGpuDevice === true
  )
}

/**
 * Loads the engine that lies in a folder and computes with it, in this process, for good: a library that does not fit the machine may
 * end it.
 * @returns its version
 * @fails EngineMissing  it does not load, computes something else, or, one for GPUs, finds none
 */
export const tryInstalled = (name: NativeEngineName, folder: string): Effect.Effect<string, EngineMissing> =>
  Effect.gen(function* () {
    const found = installedTensorFlow(name, folder).pipe(
      Effect.flatMap((installed) => (installed === null ? findTensorFlow(name) : Effect.succeed(installed))),
    )
    const { backend, version } = yield* nodeBackend(name, found)
    const refused = (expected: string, received: string, fix: string) =>
      new EngineMissing({ where: engineOfPackage[name], expected, received, fix })
    const computed = yield* Effect.try({
      try: () => withBackend(backend, gradient).join(" "),
      catch: (error) => refused("a gradient of a product", String(error), "use another engine"),
    })
    if (computed !== "7 11 9 13") {
      return yield* refused("a gradient of a product, 7 11 9 13", computed, "use another engine")
    }
    if (name === "tfjs-node-gpu" && !usesGpu()) {
      return yield* refused(
        "TensorFlow to find a GPU",
        "it finds none",
        "see that `nvidia-smi` lists one that CUDA 12 is for",
      )
    }
    return version
  })
