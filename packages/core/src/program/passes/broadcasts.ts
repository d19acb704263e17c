/**
 * Broadcasts that tfjs writes out: a value times ones (the gradient of a sum), `Tile` of axes of size 1, `Fill`. An
 * elementwise kernel broadcasts by itself, so it can read the small value.
 */
import type { HostTensor } from "../../tensor.js"
import type { Equation, Value } from "../ir.js"
import { kernels } from "../kernels.js"
import { numbersOf } from "../shapes.js"
import { type Rule, type Scope, sameShape } from "./rewrite.js"

interface Broadcast {
  readonly small: Value
  /** The same broadcast of another value of `small`'s type. */
  readonly again: (value: Value, outputs: ReadonlyArray<Value>) => Equation
}

const broadcastOf = (value: Value, { producer, uniform }: Scope): Broadcast | null => {
  const made = producer(value)
  if (made?.op === "Tile") {
    const small = made.inputs[0]!
    const reps = numbersOf(made.attrs, "reps")
    if (reps.some((n, i) => n !== 1 && small.shape[i] !== 1)) return null
    return { small, again: (input, outputs) => ({ ...made, inputs: [input], outputs }) }
  }
  if (made?.op !== "Multiply") return null
  for (const [small, ones] of [made.inputs, made.inputs.toReversed()]) {
    if (small === undefined || ones === undefined || sameShape(small.shape, value.shape)) continue
    if (uniform(ones) !== 1 || !sameShape(ones.shape, value.shape)) continue
    return { small, again: (input, outputs) => ({ ...made, inputs: [input, ones], outputs }) }
  }
  return null
}

const scalar = ({ dtype }: Value, value: number): HostTensor => ({
  dtype,
  shape: [],
  data: dtype === "float32" ? Float32Array.of(value) : dtype === "int32" ? Int32Array.of(value) : Uint8Array.of(value),
})

export const broadcasts: Rule = (equation, scope) => {
  const { op, inputs, attrs, outputs } = equation
  const out = outputs[0]!
  const kernel = kernels.get(op)
  if (kernel?.elementwise === undefined) return null
  for (const [i, value] of inputs.entries()) {
    const found = broadcastOf(value, scope)
    // A large uniform value is one number.
    const each = found === null && scope.producer(value)?.op === "Fill" ? scope.uniform(value) : undefined
    const infer = (small: Value): ReadonlyArray<number> => kernel.infer(inputs.with(i, small), attrs)[0]!.shape
    if (each !== undefined && value.shape.length > 0) {
      if (sameShape(infer({ ...value, shape: [] }), out.shape)) {
        return { equations: [{ ...equation, inputs: inputs.with(i, scope.fold(scalar(value, each))) }] }
      }
    }
    if (found === null) continue
    const shape = infer(found.small)
    if (sameShape(shape, out.shape)) return { equations: [{ ...equation, inputs: inputs.with(i, found.small) }] }
    // Every operand fits the small value: compute there, and broadcast the result.
    if (sameShape(shape, found.small.shape) && out.dtype === value.dtype && scope.once(value)) {
      const small = scope.fresh({ dtype: out.dtype, shape })
      return {
        equations: [
          { ...equation, inputs: inputs.with(i, found.small), outputs: [small] },
          found.again(small, outputs),
        ],
      }
    }
  }
  return null
}
