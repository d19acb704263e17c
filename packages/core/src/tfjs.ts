/// <reference types="@tensorflow/tfjs" preserve="true" />
/**
 * The one place that loads tfjs. `@tensorflow/tfjs` is loaded for its side effects: it registers every gradient
 * (in Node the bundle of tfjs-core registers none) and the cpu backend. Tensor code imports `@tensorflow/tfjs-core`.
 */
import { createRequire } from "node:module"
import * as tf from "@tensorflow/tfjs-core"
import { EngineMissing } from "./errors.js"
import { repairBatchMatMul } from "./ops/batchProducts.js"
import { registerBroadcastGradients } from "./ops/broadcastGradients.js"
import { registerComparisonGradients } from "./ops/comparisonGradients.js"
import { registerEinsumGradient } from "./ops/einsumGradient.js"
import { registerImageGradients } from "./ops/imageGradients.js"
import { registerMirrorPadGradient } from "./ops/mirrorPadGradient.js"
import { registerReluGradient } from "./ops/reluGradient.js"
import { registerTileGradient } from "./ops/tileGradient.js"

// An import would first search its 6 MB, and those of the packages behind it, for the names that they export: 0.1 s.
createRequire(import.meta.url)("@tensorflow/tfjs")

/** The cpu backend advertises tfjs-node on its first write, unless tfjs believes that it is under test. */
const startQuietly = (): void => {
  const flags = tf.env()
  const before = flags.getBool("IS_TEST")
  flags.set("IS_TEST", true)
  try {
    void tf.setBackend("cpu")
    tf.scalar(0).dispose()
  } finally {
    flags.set("IS_TEST", before)
  }
}
startQuietly()
repairBatchMatMul("cpu")
registerTileGradient()
registerImageGradients()
registerReluGradient()
registerEinsumGradient()
registerMirrorPadGradient()
registerComparisonGradients()
registerBroadcastGradients()

/** Makes an initialised backend the active one, at once: `tf.setBackend` only waits for backends that start slowly. */
const activate = (name: string): void => {
  if (tf.getBackend() === name) return
  if (tf.findBackend(name) === null) {
    throw new EngineMissing({
      where: `tfjs backend ${name}`,
      expected: "a backend that is registered and initialised",
      received: "neither: its package is not loaded, or it is still starting",
      fix: `import its package and await tf.setBackend("${name}") once before`,
    })
  }
  void tf.setBackend(name)
}

/**
 * Runs a synchronous function with a tfjs backend and makes the former one active again, also after an error.
 * Throws EngineMissing where the backend is not registered or not initialised.
 */
export const withBackend = <A>(name: string, fn: () => A): A => {
  const before = tf.getBackend()
  activate(name)
  try {
    return fn()
  } finally {
    activate(before)
  }
}
