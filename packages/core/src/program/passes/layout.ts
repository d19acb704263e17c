/** Reshapes and transposes: fewer of them, none that do nothing. No element changes its value. */
import type { Equation } from "../ir.js"
import { numbersOf } from "../shapes.js"
import { type Rule, sameShape } from "./rewrite.js"

const reshape = (equation: Equation, from: Equation["inputs"]): Equation => ({
  ...equation,
  op: "Reshape",
  inputs: from,
  attrs: { shape: equation.outputs[0]!.shape },
})

/** Reductions whose removed axes a reshape puts back. */
const reductions = new Map([
  ["Sum", "axis"],
  ["Mean", "axis"],
  ["Prod", "axis"],
  ["Min", "axis"],
  ["Max", "reductionIndices"],
])

export const layout: Rule = (equation, { producer, once }) => {
  const { op, inputs, attrs, outputs } = equation
  const [x] = inputs
  const out = outputs[0]!
  if (x === undefined) return null
  const from = producer(x)
  if (op === "ExpandDims") return { equations: [reshape(equation, inputs)] }
  if (op === "Reshape") {
    if (sameShape(x.shape, out.shape)) return { values: [x] }
    if (from?.op === "Reshape") return { equations: [reshape(equation, from.inputs)] }
    const axes = from && reductions.get(from.op)
    if (from && axes !== undefined && from.attrs.keepDims !== true && once(x)) {
      const reduced = numbersOf(from.attrs, axes)
      const kept = from.inputs[0]!.shape.map((d, i) => (reduced.includes(i) ? 1 : d))
      if (sameShape(kept, out.shape)) {
        return { equations: [{ ...from, attrs: { ...from.attrs, keepDims: true }, outputs }] }
      }
    }
    return null
  }
  if (op !== "Transpose") return null
  const perm = numbersOf(attrs, "perm")
  if (perm.every((p, i) => p === i)) return { values: [x] }
  if (from?.op === "Transpose") {
    const before = numbersOf(from.attrs, "perm")
    return { equations: [{ ...equation, inputs: from.inputs, attrs: { perm: perm.map((p) => before[p]!) } }] }
  }
  // Axes of size 1 move for nothing: what is left in order is a reshape.
  const moving = perm.filter((p) => x.shape[p] !== 1)
  return moving.every((p, i) => i === 0 || p > moving[i - 1]!) ? { equations: [reshape(equation, inputs)] } : null
}
