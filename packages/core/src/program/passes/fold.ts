/** Constant folding: what does not depend on the inputs is computed once, as long as the result stays small. */
import * as tf from "@tensorflow/tfjs-core"
import { type HostTensor, sizeOf, type TensorSpec } from "../../tensor.js"
import { withBackend } from "../../tfjs.js"
import { runEquation } from "../interpret.js"
import type { Equation, Value } from "../ir.js"
import { kernels } from "../kernels.js"
import type { Rule, Scope } from "./rewrite.js"

/** Elements of the largest constant that folding makes. Beyond it, what is cheap to say stays unsaid: `Fill`, `OneHot`. */
const limit = 65_536

/** Kernels that move elements and do nothing else: all alike in, all alike out. */
const moves = new Set(["Reshape", "ExpandDims", "Transpose", "Slice", "StridedSlice", "Tile", "Reverse", "Identity"])

export const fill = (equation: Equation, value: number): Equation => {
  const { dtype, shape } = equation.outputs[0]!
  return { ...equation, op: "Fill", inputs: [], attrs: { shape, value, dtype } }
}

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }

/** In an array of its own dtype: a cast that loses nothing leaves tfjs with the array that it had. */
const host = ({ dtype, shape }: TensorSpec, tensor: tf.Tensor): HostTensor => ({
  dtype,
  shape,
  data: arrays[dtype].from(tensor.dataSync()),
})

const compute = (equation: Equation, inputs: ReadonlyArray<HostTensor>): ReadonlyArray<HostTensor> | null => {
  let results: ReadonlyArray<HostTensor> = []
  try {
    withBackend("cpu", () =>
      tf.tidy(() => {
        const tensors = inputs.map(({ data, shape, dtype }) => tf.tensor(data, [...shape], dtype))
        const made = runEquation(equation, tensors)
        results = equation.outputs.map((value, i) => host(value, made[i]!))
      }),
    )
  } catch {
    // Such as an index out of range: the program fails where it runs, not where it is optimised.
    return null
  }
  return results
}

const known = (value: Value, { constant, uniform }: Scope): HostTensor | null => {
  const tensor = constant(value)
  if (tensor !== undefined) return tensor
  const each = uniform(value)
  const size = sizeOf(value.shape)
  if (each === undefined || size > limit) return null
  return { dtype: value.dtype, shape: value.shape, data: new arrays[value.dtype](size).fill(each) }
}

/** One element of an elementwise kernel whose inputs are all uniform. */
const pointwise = (equation: Equation, scope: Scope): number | undefined => {
  const numbers = equation.inputs.map((value) => scope.uniform(value))
  if (moves.has(equation.op)) return numbers[0]
  if (kernels.get(equation.op)?.elementwise === undefined || numbers.includes(undefined)) return undefined
  const scalars = equation.inputs.map(
    (value, i) => known({ ...value, shape: [] }, { ...scope, constant: () => undefined, uniform: () => numbers[i] })!,
  )
  return compute({ ...equation, outputs: equation.outputs.map((value) => ({ ...value, shape: [] })) }, scalars)?.[0]
    ?.data[0]
}

export const fold: Rule = (equation, scope) => {
  const size = equation.outputs.reduce((n, { shape }) => n + sizeOf(shape), 0)
  if (equation.op === "Fill" && size !== 1) return null
  if (equation.inputs.length > 0 && equation.outputs.length === 1 && size > 1) {
    const each = pointwise(equation, scope)
    if (each !== undefined) return { equations: [fill(equation, each)] }
  }
  if (size > limit) return null
  const inputs = equation.inputs.map((value) => known(value, scope))
  if (!inputs.every((tensor) => tensor !== null)) return null
  const results = compute(equation, inputs)
  return results === null ? null : { values: results.map((tensor) => scope.fold(tensor)) }
}
