/** Transposes and biases become part of the matrix product that reads them. The sums keep their order. */
import type { Equation, Value } from "../ir.js"
import { numbersOf } from "../shapes.js"
import { type Rule, type Scope, sameShape } from "./rewrite.js"

const swapsLastTwo = (perm: ReadonlyArray<number>): boolean => {
  const n = perm.length
  return n >= 2 && perm.every((p, i) => p === (i === n - 1 ? n - 2 : i === n - 2 ? n - 1 : i))
}

/** The value before a transpose of the last two axes. */
const untransposed = (value: Value, { producer }: Scope): Value | null => {
  const made = producer(value)
  return made?.op === "Transpose" && swapsLastTwo(numbersOf(made.attrs, "perm")) ? made.inputs[0]! : null
}

const withBias = (equation: Equation, { producer, once }: Scope): Equation | null => {
  const [out] = equation.outputs
  for (const [product, bias] of [equation.inputs, equation.inputs.toReversed()]) {
    const made = producer(product!)
    if (made?.op !== "BatchMatMul" || !once(product!) || out!.shape.length !== 2 || product!.shape.length !== 2)
      continue
    if (bias!.shape.length !== 1 || bias!.shape[0] !== out!.shape[1] || product!.shape[0] !== out!.shape[0]) continue
    return {
      ...made,
      op: "_FusedMatMul",
      inputs: [...made.inputs, bias!],
      attrs: { ...made.attrs, activation: "linear" },
      outputs: equation.outputs,
    }
  }
  return null
}

/** c · (A B), from a product that nothing else reads. */
const scaled = (equation: Equation, { producer, once, uniform }: Scope): Equation | null => {
  for (const [product, factor] of [equation.inputs, equation.inputs.toReversed()]) {
    const scale = uniform(factor!)
    const made = producer(product!)
    if (scale === undefined || !Number.isFinite(scale) || made?.op !== "BatchMatMul" || !once(product!)) continue
    if (product!.dtype !== "float32" || !sameShape(product!.shape, equation.outputs[0]!.shape)) continue
    return { ...made, op: "ScaledMatMul", attrs: { ...made.attrs, scale }, outputs: equation.outputs }
  }
  return null
}

export const products: Rule = (equation, scope) => {
  const { op, inputs, attrs, outputs } = equation
  if (op === "Add") {
    const fused = withBias(equation, scope)
    return fused === null ? null : { equations: [fused] }
  }
  if (op === "Multiply") {
    const fused = scaled(equation, scope)
    return fused === null ? null : { equations: [fused] }
  }
  if (op === "Transpose" && swapsLastTwo(numbersOf(attrs, "perm")) && scope.once(inputs[0]!)) {
    // (A B)ᵀ = Bᵀ Aᵀ
    const made = scope.producer(inputs[0]!)
    if (made?.op !== "BatchMatMul") return null
    const turned = { transposeA: made.attrs.transposeB !== true, transposeB: made.attrs.transposeA !== true }
    return { equations: [{ ...made, inputs: made.inputs.toReversed(), attrs: turned, outputs }] }
  }
  if (op !== "BatchMatMul" && op !== "_FusedMatMul" && op !== "ScaledMatMul") return null
  const [a, b, ...bias] = inputs
  const [first, second] = [untransposed(a!, scope), untransposed(b!, scope)]
  if (first === null && second === null) return null
  const flags = {
    transposeA: (attrs.transposeA === true) !== (first !== null),
    transposeB: (attrs.transposeB === true) !== (second !== null),
  }
  return { equations: [{ ...equation, inputs: [first ?? a!, second ?? b!, ...bias], attrs: { ...attrs, ...flags } }] }
}
