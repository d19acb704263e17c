/** Puts the rows of the table in force. */
import * as tf from "@tensorflow/tfjs-core"
import { type NativeDifferentiable, type NativeFused, registerNativeOps } from "../ops/native.js"
import { rawOf, type TensorFlowBackend } from "./raw.js"
import type { Row } from "./row.js"
import { rows } from "./rows.js"

const backend = "tensorflow"
/** What was there before the table. */
const plain = new Map<string, tf.KernelConfig>()

const replaceKernel = (name: string, kernelFunc: tf.KernelFunc | null): void => {
  const config = plain.get(name) ?? tf.getKernel(name, backend)
  if (config === undefined) return
  plain.set(name, config)
  tf.unregisterKernel(name, backend)
  tf.registerKernel(kernelFunc === null ? config : { ...config, kernelFunc })
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
      if (before !== undefined) replaceKernel(row.name, on ? row.kernel(raw, before.kernelFunc) : null)
    }
    if (on && row.fused !== undefined) fused.set(row.name, row.fused(raw))
    if (on && row.differentiable !== undefined) differentiable.set(row.name, row.differentiable(raw))
  }
  registerNativeOps(backend, { fused, differentiable })
}
