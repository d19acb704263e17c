/** Shape and dtype rules that kernels share. Errors are tfjs's own assertions; capture adds the path. */
import * as tf from "@tensorflow/tfjs-core"
import type { DType, TensorSpec } from "../tensor.js"
import type { Attr } from "./ir.js"

export type Attrs = Readonly<Record<string, Attr>>
export type Infer = (inputs: ReadonlyArray<TensorSpec>, attrs: Attrs) => ReadonlyArray<TensorSpec>
export type DTypeRule = DType | "same"

export const input = (inputs: ReadonlyArray<TensorSpec>, i = 0): TensorSpec => {
  const spec = inputs[i]
  if (spec === undefined) throw new Error(`operand ${i} is missing`)
  return spec
}

export const numberOf = (attrs: Attrs, name: string, otherwise?: number): number => {
  const value = attrs[name] ?? otherwise
  if (typeof value !== "number") throw new Error(`attribute ${name} must be a number`)
  return value
}

export const numbersOf = (attrs: Attrs, name: string): Array<number> => {
  const value = attrs[name]
  if (typeof value === "number") return [value]
  if (!Array.isArray(value) || !value.every((n) => typeof n === "number")) {
    throw new Error(`attribute ${name} must be a list of numbers`)
  }
  return [...value]
}

export const pairsOf = (attrs: Attrs, name: string): ReadonlyArray<readonly [number, number]> => {
  const value = attrs[name]
  if (!Array.isArray(value)) throw new Error(`attribute ${name} must be a list of pairs`)
  return value.map((pair: unknown) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw new Error(`attribute ${name} must be a list of pairs`)
    return [Number(pair[0]), Number(pair[1])] as const
  })
}

/** Element types that a program may hold; null for string, complex64 and any other. */
export const dtypeOf = (dtype: unknown): DType | null =>
  dtype === "float32" || dtype === "int32" || dtype === "bool" ? dtype : null

export const dtypeAttr = (attrs: Attrs, otherwise: DType): DType => {
  const dtype = dtypeOf(attrs.dtype ?? otherwise)
  if (dtype === null) throw new Error(`dtype ${String(attrs.dtype)} is not float32, int32 or bool`)
  return dtype
}

/** An axis counted from the front. */
export const axisOf = (axis: number, rank: number): number => {
  const front = axis < 0 ? axis + rank : axis
  if (!(front >= 0 && front < rank)) throw new Error(`axis ${axis} is out of range for rank ${rank}`)
  return front
}

/** Reduction axes as tfjs means them: absent is all; sorted, counted from the front. */
export const axesOf = (attrs: Attrs, name: string, rank: number): Array<number> => {
  const all = Array.from({ length: rank }, (_, i) => i)
  if (attrs[name] === undefined) return all
  return numbersOf(attrs, name)
    .map((a) => axisOf(a, rank))
    .sort((a, b) => a - b)
}

/** Attributes in normal form. */
export type Normal = (attrs: Attrs, inputs: ReadonlyArray<TensorSpec>) => Attrs

/** A normal form: reduction axes sorted and counted from the front. */
export const axesFromFront =
  (name: string): Normal =>
  (attrs, inputs) => ({ ...attrs, [name]: axesOf(attrs, name, input(inputs).shape.length) })
/** A normal form: one axis counted from the front, in a tensor of so many axes more than the first input. */
export const axisFromFront =
  (name: string, more = 0): Normal =>
  (attrs, inputs) => ({ ...attrs, [name]: axisOf(numberOf(attrs, name, 0), input(inputs).shape.length + more) })

export const broadcast = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): Array<number> =>
  tf.broadcast_util.assertAndGetBroadcastShape([...a], [...b])

const ruled = (rule: DTypeRule, spec: TensorSpec): DType => (rule === "same" ? spec.dtype : rule)

/** A rule for kernels that compute with float32 alone. */
export const real =
  (infer: Infer): Infer =>
  (inputs, attrs) => {
    const other = inputs.find(({ dtype }) => dtype !== "float32")
    if (other !== undefined) throw new Error(`this takes float32, not ${other.dtype}: cast it`)
    return infer(inputs, attrs)
  }

export const unary =
  (rule: DTypeRule): Infer =>
  (inputs) => [{ dtype: ruled(rule, input(inputs)), shape: input(inputs).shape }]

export const binary =
  (rule: DTypeRule): Infer =>
  (inputs) => {
    const [a, b] = [input(inputs, 0), input(inputs, 1)]
    if (a.dtype !== b.dtype) throw new Error(`operands must share a dtype, not ${a.dtype} and ${b.dtype}: cast one`)
    return [{ dtype: ruled(rule, a), shape: broadcast(a.shape, b.shape) }]
  }

export const reduction =
  (rule: DTypeRule | "sum", name = "axis"): Infer =>
  (inputs, attrs) => {
    const x = input(inputs)
    const axes = new Set(axesOf(attrs, name, x.shape.length))
    const shape = attrs.keepDims ? x.shape.map((d, i) => (axes.has(i) ? 1 : d)) : x.shape.filter((_, i) => !axes.has(i))
    return [{ dtype: rule === "sum" ? (x.dtype === "bool" ? "int32" : x.dtype) : ruled(rule, x), shape }]
  }

/** `ArgMax`, `ArgMin`: one axis, always removed. */
export const argReduction: Infer = (inputs, attrs) => {
  const x = input(inputs)
  const axis = axesOf(attrs, "axis", x.shape.length)[0] ?? 0
  return [{ dtype: "int32", shape: x.shape.filter((_, i) => i !== axis) }]
}

/** Matrix product over the last two axes; the others broadcast. A third input is a bias that broadcasts to the result. */
export const matMul: Infer = (inputs, attrs) => {
  const [a, b] = [input(inputs, 0), input(inputs, 1)]
  if (a.dtype === "bool") throw new Error("matMul does not take bool: cast it")
  const [ra, rb] = [a.shape.length, b.shape.length]
  if (ra < 2 || rb < 2) throw new Error(`matMul needs rank 2 or more, not ${ra} and ${rb}`)
  const [rows, inner] = attrs.transposeA ? [a.shape[ra - 1]!, a.shape[ra - 2]!] : [a.shape[ra - 2]!, a.shape[ra - 1]!]
  const [depth, columns] = attrs.transposeB
    ? [b.shape[rb - 1]!, b.shape[rb - 2]!]
    : [b.shape[rb - 2]!, b.shape[rb - 1]!]
  if (inner !== depth)
    throw new Error(`matMul: inner sizes ${inner} and ${depth} of [${a.shape}] and [${b.shape}] differ`)
  const shape = [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns]
  const bias = inputs[2]
  if (bias !== undefined && String(broadcast(shape, bias.shape)) !== String(shape)) {
    throw new Error(`matMul: bias [${bias.shape}] does not broadcast to [${shape}]`)
  }
  return [{ dtype: a.dtype, shape }]
}
