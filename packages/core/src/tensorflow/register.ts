/** Puts the rows of the table in force. */
import * as tf from "@tensorflow/tfjs-core"
import { type NativeDifferentiable, type NativeFused, registerNativeOps } from "../ops/native.js"
import { rawOf, type TensorFlowBackend } from "./raw.js"
import type { Row } from "./row.js"
import { rows } from "./rows.js"

const backend = "tensorflow"
/** What was there before the table. */
const plain = new Map<string, tf.KernelConfig>()

const replaceKernel = (kernel: tf.KernelConfig): void => {
  tf.unregisterKernel(kernel.kernelName, backend)
  tf.registerKernel(kernel)
}

/**
 * Makes the backend of TensorFlow, which has started, run these rows and no others. All of them unless `wanted` says which.
 */
export const registerRows = (wanted: (row: Row) => boolean = () => true): void => {
  const raw = rawOf(tf.findBackend(backend) as TensorFlowBackend)
  const fused = new Map<string, NativeFused>()
  const differentiable = new Map<string, NativeDifferentiable>()
  for (const row of rows) {
    const on = wanted(row)
    if (row.kernel !== undefined) {
      const before = plain.get(row.name) ?? tf.getKernel(row.name, backend)
      if (before === undefined) continue
      plain.set(row.name, before)
      replaceKernel(on ? { ...before, kernelFunc: row.kernel(raw, before.kernelFunc) } : before)
    }
    if (on && row.fused !== undefined) fused.set(row.name, row.fused(raw))
    if (on && row.differentiable !== undefined) differentiable.set(row.name, row.differentiable(raw))
  }
  registerNativeOps(backend, { fused, differentiable })
}
