/** Operations that give back their input, or a simpler operation's result. Exact, up to the sign of a zero. */
import { sizeOf } from "../../tensor.js"
import type { Equation, Value } from "../ir.js"
import { numberOf, numbersOf, pairsOf } from "../shapes.js"
import { type Rewrite, type Rule, type Scope, sameShape } from "./rewrite.js"

const is = (value: Value | undefined, number: number, scope: Scope): boolean =>
  value !== undefined && scope.uniform(value) === number

/** The input, where it has the type of the output already. */
const unchanged = ({ outputs }: Equation, value: Value | undefined): Rewrite =>
  value !== undefined && value.dtype === outputs[0]!.dtype && sameShape(value.shape, outputs[0]!.shape)
    ? { values: [value] }
    : null

const reductions = new Set(["Sum", "Mean", "Prod", "Max", "Min"])

export const identities: Rule = (equation, scope) => {
  const { op, inputs, attrs, outputs } = equation
  const [a, b] = inputs
  const out = outputs[0]!
  switch (op) {
    case "Identity":
    case "Cast": {
      const from = a === undefined ? undefined : scope.producer(a)
      // bool -> int32 -> float32 loses nothing on its way.
      if (op === "Cast" && from?.op === "Cast" && from.inputs[0]?.dtype === "bool") {
        const cast = { ...equation, inputs: from.inputs }
        return unchanged(cast, from.inputs[0]) ?? (a!.dtype === "bool" ? null : { equations: [cast] })
      }
      return unchanged(equation, a)
    }
    case "Multiply":
      return (is(b, 1, scope) ? unchanged(equation, a) : null) ?? (is(a, 1, scope) ? unchanged(equation, b) : null)
    case "Add":
      return (is(b, 0, scope) ? unchanged(equation, a) : null) ?? (is(a, 0, scope) ? unchanged(equation, b) : null)
    case "Sub":
      return is(b, 0, scope) ? unchanged(equation, a) : null
    case "RealDiv":
      return is(b, 1, scope) ? unchanged(equation, a) : null
    case "Pow":
      if (is(b, 2, scope) && sameShape(a!.shape, out.shape))
        return { equations: [{ ...equation, op: "Square", inputs: [a!] }] }
      return is(b, 1, scope) ? unchanged(equation, a) : null
    case "Maximum":
    case "Minimum":
      return a!.id === b!.id ? { values: [a!] } : null
    case "Neg": {
      const from = scope.producer(a!)
      return from?.op === "Neg" ? { values: [from.inputs[0]!] } : null
    }
    case "ZerosLike":
    case "OnesLike": {
      const value = op === "ZerosLike" ? 0 : 1
      return {
        equations: [{ ...equation, op: "Fill", inputs: [], attrs: { shape: out.shape, value, dtype: out.dtype } }],
      }
    }
    case "Slice":
      return unchanged(equation, a)
    case "PadV2":
      return pairsOf(attrs, "paddings").every(([before, after]) => before === 0 && after === 0)
        ? unchanged(equation, a)
        : null
    case "Tile":
      return numbersOf(attrs, "reps").every((n) => n === 1) ? unchanged(equation, a) : null
    case "Concat":
    case "AddN":
      return inputs.length === 1 ? unchanged(equation, a) : null
    case "SplitV":
      return outputs.length === 1 ? unchanged(equation, a) : null
    case "Cumsum":
    case "Cumprod":
      return attrs.exclusive !== true && a!.shape[numberOf(attrs, "axis")] === 1 ? unchanged(equation, a) : null
  }
  if (reductions.has(op) && a!.dtype === out.dtype && sizeOf(a!.shape) === sizeOf(out.shape) && sizeOf(out.shape) > 0) {
    // Only axes of size 1 are reduced.
    return { equations: [{ ...equation, op: "Reshape", attrs: { shape: out.shape } }] }
  }
  return null
}
