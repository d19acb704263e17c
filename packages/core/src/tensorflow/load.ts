/** Loads tfjs-node so that nothing of what tfjs is to this package changes. */
import { createRequire } from "node:module"
import * as tf from "@tensorflow/tfjs-core"
import { registerRows } from "./register.js"
import { repairKernels } from "./repairs.js"
import { environment, restoreUtil } from "./surroundings.js"

/**
 * A package that lies elsewhere brings a tfjs of its own, which registers every kernel and gradient of its own once more in the
 * registries that both share, above the repairs of this package.
 */
const keepingRegistries = (load: () => void): void => {
  const kernels = tf.getKernelsForBackend("cpu").concat(tf.getKernelsForBackend("wasm"))
  const names = new Set(kernels.map(({ kernelName }) => kernelName))
  const gradients = [...names].flatMap((name) => tf.getGradient(name) ?? [])
  const { warn } = console
  console.warn = () => {}
  try {
    load()
    for (const { kernelName, backendName } of kernels) tf.unregisterKernel(kernelName, backendName)
    for (const kernel of kernels) tf.registerKernel(kernel)
    for (const gradient of gradients) tf.registerGradient(gradient)
  } finally {
    console.warn = warn
  }
}

/** What this process has begun to load: a second TensorFlow in it would be answered by the first one's libraries. */
let begun: string | null = null
let ready = false

/**
 * Registers and starts TensorFlow's backend; the active one stays active.
 * @param path    what `@tensorflow/tfjs-node` or its sibling for GPUs resolves to
 * @throws Error  it does not load, or another one is loaded
 */
export const loadTensorFlow = async (path: string): Promise<void> => {
  if (begun !== null && begun !== path) throw new Error(`this process has loaded ${begun}`)
  if (ready) return
  begun = path
  const before = tf.getBackend()
  try {
    restoreUtil()
    for (const [name, value] of Object.entries(environment)) process.env[name] ??= value
    keepingRegistries(() => createRequire(import.meta.url)(path))
    if (!(await tf.setBackend("tensorflow"))) throw new Error("the tensorflow backend did not start")
  } finally {
    await tf.setBackend(before)
  }
  repairKernels()
  registerRows()
  ready = true
}
