/**
 * Kernels that TensorFlow has for fewer types than tfjs: with these types tfjs's own cpu backend computes them. They are rare
 * and small, and would otherwise be refused or wrong.
 */
import * as tf from "@tensorflow/tfjs-core"
import { copiedTo } from "./copiedTo.js"

const bools =
  "Abs Add AddN AvgPoolGrad BatchMatMul BatchToSpaceND ClipByValue Cumprod Cumsum Einsum EluGrad Exp FloorDiv FusedBatchNorm " +
  "Greater GreaterEqual LeakyRelu Less LessEqual Max MaxPool MaxPoolGrad Min Mod Multiply Neg Pow Prelu Range RealDiv Relu " +
  "Relu6 ResizeBilinear Round Sign SpaceToBatchND Square SquaredDifference Sub TopK UnsortedSegmentSum _FusedMatMul " +
  "Maximum Minimum Sum Mean Prod"
const boolsAndIntegers =
  "Acos Acosh Asin Asinh Atan Atan2 Atanh Conv2DBackpropFilter Conv2DBackpropInput DepthwiseConv2dNativeBackpropFilter " +
  "DepthwiseConv2dNativeBackpropInput Expm1 IsFinite IsInf IsNan Log1p Reciprocal Selu Sinh Softplus Step"
/** With integers TensorFlow gives wrong numbers, or refuses them. */
const integers = "Round AvgPoolGrad MaxPoolGrad EluGrad FusedBatchNorm LeakyRelu"

const listed = (names: string): ReadonlyArray<string> => names.split(" ")

/** Kernel -> the types that it is not left to TensorFlow with. */
export const otherTypes: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [...new Set(listed(`${bools} ${boolsAndIntegers} ${integers}`))].map((name) => [
    name,
    new Set([
      ...(listed(`${bools} ${boolsAndIntegers}`).includes(name) ? ["bool"] : []),
      ...(listed(`${boolsAndIntegers} ${integers}`).includes(name) ? ["int32"] : []),
    ]),
  ]),
)

/** The kernel of tfjs's cpu backend, between tensors of another backend. */
export const onCpu = (name: string): tf.KernelFunc | null => {
  const kernel = tf.getKernel(name, "cpu")
  if (kernel === undefined) return null
  return ({ inputs, attrs, backend }) => {
    const cpu = tf.findBackend("cpu")
    const native = backend as tf.KernelBackend
    const copies: Record<string, tf.TensorInfo> = {}
    for (const [key, given] of Object.entries(inputs)) {
      if (given !== undefined && given !== null) copies[key] = copiedTo(cpu, native, given)
    }
    const list = Array.isArray(inputs) ? Object.values(copies) : copies
    const made = [
      kernel.kernelFunc({ inputs: list as tf.NamedTensorInfoMap, ...(attrs && { attrs }), backend: cpu }),
    ].flat()
    try {
      const results = made.map((result) => copiedTo(native, cpu, result))
      return results.length === 1 ? results[0]! : results
    } finally {
      for (const { dataId } of [...Object.values(copies), ...made]) cpu.disposeData(dataId)
    }
  }
}
