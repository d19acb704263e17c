/** The tfjs backends that eager engines run on: those of this package, and TensorFlow's where the user installed it. */
import { createRequire } from "node:module"
import { dirname, sep } from "node:path"
import { fileURLToPath } from "node:url"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import type { EngineName } from "../engine.js"
import { EngineMissing } from "../errors.js"
import { repairBatchMatMul } from "../ops/batchProducts.js"
import { loadTensorFlow } from "../tensorflow/load.js"
import type { EagerBackend } from "./eager.js"
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
  threads: 1,
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
    // Outside of browsers tfjs takes the binary without threads.
    return { name: "tfjs:wasm", backend: "wasm", version: `tfjs ${tf.version_core} wasm`, threads: 1 }
  },
  catch: (error) => missing("tfjs:wasm", "the wasm backend of tfjs to start", reasonOf(error), "run npm install"),
})

const packages = { "tfjs:node": "@tensorflow/tfjs-node", "tfjs:node-gpu": "@tensorflow/tfjs-node-gpu" } as const

/** The backend of TensorFlow's own package, from where the program runs or from where Millrace is installed. */
export const nodeBackend = (name: keyof typeof packages): Effect.Effect<EagerBackend, EngineMissing> => {
  const module = packages[name]
  const remedy = `npm install ${module}@${tf.version_core}`
  return Effect.tryPromise({
    try: async (): Promise<EagerBackend> => {
      const from = [`${process.cwd()}${sep}`, fileURLToPath(import.meta.url)]
      const path = from.map((place) => resolveFrom(place, module)).find((found) => found !== null)
      if (path === undefined || path === null) throw new Error(`${module} is not installed`)
      await loadTensorFlow(path)
      return { name, backend: "tensorflow", version: `${module.replace("@tensorflow/", "")} ${tf.version_core}` }
    },
    catch: (error) => missing(name, `${module} to load`, reasonOf(error), remedy),
  })
}

const resolveFrom = (place: string, module: string): string | null => {
  try {
    return createRequire(place).resolve(module)
  } catch {
    return null
  }
}
