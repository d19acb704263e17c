/** Kernels of tfjs-node 4.22 that refuse what tfjs computes, or give something else. */
import * as tf from "@tensorflow/tfjs-core"
import type { Attrs } from "../program/shapes.js"
import { explicitPadding, withoutPadding } from "./explicitPadding.js"
import { onCpu, otherTypes } from "./otherTypes.js"

type Repair = (plain: tf.KernelFunc, name: string) => tf.KernelFunc

/** tfjs-node pools with paddings that have a name alone. */
const pooled: Repair = (plain, name) => (given) => {
  const own = explicitPadding((given.attrs ?? {}) as Attrs) === null ? plain : onCpu(name)
  return (own ?? plain)(given)
}

/** tfjs gives integers, TensorFlow the type of the operands. */
const whole: Repair = (plain) => (given) => {
  const made = plain(given) as tf.Tensor
  if (made.dtype === "int32") return made
  const integers = tf.cast(made, "int32")
  made.dispose()
  return integers
}

const repairs: Readonly<Record<string, Repair>> = {
  AvgPool: pooled,
  AvgPoolGrad: pooled,
  Conv2D: withoutPadding,
  Conv2DBackpropFilter: withoutPadding,
  Conv2DBackpropInput: withoutPadding,
  DepthwiseConv2dNative: withoutPadding,
  FloorDiv: whole,
  FusedConv2D: withoutPadding,
  MaxPool: pooled,
  MaxPoolGrad: pooled,
  /** The type is not an operand's. */
  Range: (plain, name) => (given) => (given.attrs?.dtype === "bool" ? (onCpu(name) ?? plain)(given) : plain(given)),
}

const typed: Repair = (plain, name) => {
  const [types, own] = [otherTypes.get(name), onCpu(name)]
  if (types === undefined || own === null) return plain
  return (given) => {
    const operands = Object.values(given.inputs).filter((operand) => operand !== undefined && operand !== null)
    return operands.some(({ dtype }) => types.has(dtype)) ? own(given) : plain(given)
  }
}

/** Mends the kernels of the backend, which has been registered. */
export const repairKernels = (): void => {
  for (const kernel of tf.getKernelsForBackend("tensorflow")) {
    const { kernelName: name, kernelFunc } = kernel
    const mended = typed(repairs[name]?.(kernelFunc, name) ?? kernelFunc, name)
    if (mended === kernelFunc) continue
    tf.unregisterKernel(name, "tensorflow")
    tf.registerKernel({ ...kernel, kernelFunc: mended })
  }
}
