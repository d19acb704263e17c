/** The tfjs backends that eager engines run on: those of this package, and TensorFlow's where the user installed it. */
import { createRequire } from "node:module"
import { dirname, sep } from "node:path"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import type { EngineName, NativeEngineName } from "../engine.js"
import { EngineMissing } from "../errors.js"
import { repairBatchMatMul } from "../ops/batchProducts.js"
import { loadTensorFlow } from "../tensorflow/load.js"
import type { EagerBackend } from "./eager.js"
import { findTensorFlow } from "./native/findTensorFlow.js"
import { engineOfPackage } from "./native/nativeEngine.js"
import "../tfjs.js"
import "./copyOnUpdate.js"

const reasonOf = (error: unknown): string =>
  error instanceof Error ? (error.message.split("\n")[0] ?? error.name) : String(error)

const missing = (where: EngineName, expected: string, received: string, fix: string): EngineMissing =>
  new EngineMissing({ where, expected, received, fix })

/** Registered by tfjs.ts. */
export const cpuBackend: Effect.Effect<EagerBackend, EngineMissing> = Effect.succeed({
  name: "tfjs:cpu",
  backend: "cpu",
  version: `tfjs ${tf.version_core} cpu`,
})

/** Starts a backend and gives the former one back its place. */
const start = async (backend: string): Promise<boolean> => {
  const before = tf.getBackend()
  try {
    return await tf.setBackend(backend)
  } finally {
    await tf.setBackend(before)
  }
}

export const wasmBackend: Effect.Effect<EagerBackend, EngineMissing> = Effect.tryPromise({
  try: async (): Promise<EagerBackend> => {
    const wasm = await import("@tensorflow/tfjs-backend-wasm")
    const folder = dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))
    wasm.setWasmPaths(`${folder}${sep}`)
    if (!(await start("wasm"))) throw new Error("the wasm backend did not start")
    repairBatchMatMul("wasm")
    return { name: "tfjs:wasm", backend: "wasm", version: `tfjs ${tf.version_core} wasm` }
  },
  catch: (error) => missing("tfjs:wasm", "the wasm backend of tfjs to start", reasonOf(error), "run npm install"),
})

/** The backend of TensorFlow's own package, from the project or from what `millrace engines add` installed. */
export const nodeBackend = (
  module: NativeEngineName,
  find = findTensorFlow(module),
): Effect.Effect<EagerBackend, EngineMissing> =>
  Effect.flatMap(find, ({ path, version }) => {
    const name = engineOfPackage[module]
    return Effect.tryPromise({
      try: async (): Promise<EagerBackend> => {
        await loadTensorFlow(path)
        if (module === "tfjs-node-gpu" && !usesGpu()) throw new Error("TensorFlow finds no GPU")
        return { name, backend: "tensorflow", version }
      },
      catch: (error) => missing(name, `@tensorflow/${module} to load`, reasonOf(error), remedyOf(module, error)),
    })
  })

/** TensorFlow computes on the processor where it finds no GPU, and says so in its log alone. */
const usesGpu = (): boolean => {
  const backend: unknown = tf.findBackend("tensorflow")
  return (
    typeof backend === "object" &&
    backend !== null &&
    "isUsingGpuDevice" in backend &&
    backend.isUsingGpuDevice === true
  )
}

const remedyOf = (module: NativeEngineName, error: unknown): string => {
  if (/finds no GPU/.test(reasonOf(error))) return "see that `nvidia-smi` lists a GPU that CUDA 12 is for"
  if (/process has loaded/.test(reasonOf(error))) return "use one engine on TensorFlow in a process"
  return `run \`millrace engines add ${module}\``
}
