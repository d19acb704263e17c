/** An ONNX graph under construction: nodes in order, constants once each, names that Netron can show. */
import type { Attr, Equation, Value } from "../program/ir.js"
import { type DType, sizeOf } from "../tensor.js"
import { type AttributeValue, type ElementType, elementType, type NodeProto, type TensorProto } from "./proto.js"

type Attributes = Readonly<Record<string, AttributeValue>>

/** What a lowering writes to. Tensors are named by strings. */
export interface Graph {
  /** Adds a node with one output and returns its name. `domain:Op` names an operator outside ai.onnx. */
  readonly node: (op: string, inputs: ReadonlyArray<string>, attributes?: Attributes) => string
  /** Adds a node with several outputs. */
  readonly nodes: (
    op: string,
    inputs: ReadonlyArray<string>,
    count: number,
    attributes?: Attributes,
  ) => ReadonlyArray<string>
  /** A constant int64 vector: shapes, axes, bounds. */
  readonly int64: (values: ReadonlyArray<number>) => string
  /** A constant scalar. */
  readonly scalar: (dtype: ElementType, value: number) => string
  /** A constant tensor whose elements are all `value`. */
  readonly filled: (dtype: DType, shape: ReadonlyArray<number>, value: number) => string
  /** A constant tensor. */
  readonly constant: (dtype: DType, shape: ReadonlyArray<number>, values: ArrayLike<number>) => string
  /** The tensor converted, or itself where nothing is to convert. */
  readonly cast: (name: string, from: ElementType, to: ElementType) => string
  /** The tensor with another shape, or itself. */
  readonly reshape: (name: string, from: ReadonlyArray<number>, to: ReadonlyArray<number>) => string
}

/** How one tfjs kernel is written in ONNX: the names of its outputs. */
export type Lowering = (
  graph: Graph,
  equation: Equation,
  inputs: ReadonlyArray<string>,
) => string | ReadonlyArray<string>

export type Lowerings = Readonly<Record<string, Lowering>>

/** Above this many elements a filled tensor is a node and not bytes in the file. */
const largestInline = 4096

const typedArray = (dtype: ElementType, values: ArrayLike<number>): Uint8Array => {
  const data =
    dtype === "float32"
      ? Float32Array.from(values)
      : dtype === "float64"
        ? Float64Array.from(values)
        : dtype === "int32"
          ? Int32Array.from(values)
          : dtype === "int64"
            ? BigInt64Array.from(Array.from(values, (value) => BigInt(value)))
            : Uint8Array.from(values)
  return new Uint8Array(data.buffer)
}

const sameShape = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i])

/** A fresh graph. `at` says which equation is being lowered, for the names of its nodes. */
export const openGraph = (): Graph & {
  readonly at: (equation: Equation) => void
  readonly proto: { readonly nodes: Array<NodeProto>; readonly initializers: Array<TensorProto> }
} => {
  const nodes: Array<NodeProto> = []
  const initializers: Array<TensorProto> = []
  const known = new Map<string, string>()
  const used = new Map<string, number>()
  let place = ""

  const once = (key: string, make: (name: string) => TensorProto): string => {
    const found = known.get(key)
    if (found !== undefined) return found
    const name = `constant.${initializers.length}`
    initializers.push(make(name))
    known.set(key, name)
    return name
  }
  const values = (dtype: ElementType, shape: ReadonlyArray<number>, data: ReadonlyArray<number>): string =>
    once(`${dtype}[${shape}]${data.map((x) => (Object.is(x, -0) ? "-0" : x))}`, (name) => ({
      name,
      dtype,
      shape,
      bytes: typedArray(dtype, data),
    }))

  const graph: Graph = {
    node: (op, inputs, attributes) => graph.nodes(op, inputs, 1, attributes)[0]!,
    nodes: (op, inputs, count, attributes = {}) => {
      const colon = op.indexOf(":")
      const type = op.slice(colon + 1)
      const base = place === "" ? type : `${place}/${type}`
      const seen = used.get(base) ?? 0
      used.set(base, seen + 1)
      const name = seen === 0 ? base : `${base}.${seen}`
      const outputs = Array.from({ length: count }, (_, i) => (count === 1 ? `${name}:out` : `${name}:out${i}`))
      nodes.push({ name, op: type, domain: colon < 0 ? "" : op.slice(0, colon), inputs, outputs, attributes })
      return outputs
    },
    int64: (data) => values("int64", [data.length], data),
    scalar: (dtype, value) => values(dtype, [], [value]),
    filled: (dtype, shape, value) => {
      const size = sizeOf(shape)
      if (size <= largestInline) return values(dtype, shape, new Array<number>(size).fill(value))
      const tensor = { name: "value", dtype, shape: [1], bytes: typedArray(dtype, [value]) }
      return graph.node("ConstantOfShape", [graph.int64(shape)], { value: { tensor } })
    },
    constant: (dtype, shape, data) => {
      const name = `constant.${initializers.length}`
      const bytes = typedArray(dtype, data)
      initializers.push({ name, dtype, shape, bytes })
      return name
    },
    cast: (name, from, to) => (from === to ? name : graph.node("Cast", [name], { to: elementType[to] })),
    reshape: (name, from, to) =>
      sameShape(from, to)
        ? name
        : graph.node("Reshape", [name, graph.int64(to)], to.includes(0) ? { allowzero: 1 } : {}),
  }
  return {
    ...graph,
    at: ({ path }) => {
      place = path.replaceAll(" > ", "/")
    },
    proto: { nodes, initializers },
  }
}

/** A number-list attribute; a single number counts as a list of one. */
export const numbers = (attr: Attr | undefined): ReadonlyArray<number> =>
  attr === undefined ? [] : Array.isArray(attr) ? attr.flat(2).map(Number) : [Number(attr)]

/** An attribute that is one number. */
export const number = (attr: Attr | undefined, otherwise = 0): number => (attr === undefined ? otherwise : Number(attr))

/** An axis counted from the front. */
export const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis)

/** Row-major strides. */
export const stridesOf = (shape: ReadonlyArray<number>): ReadonlyArray<number> =>
  shape.map((_, i) => sizeOf(shape.slice(i + 1)))

/** Casts what was computed as `dtype` to what the program says the output is. */
export const asOutput = (graph: Graph, equation: Equation, name: string, dtype: ElementType): string =>
  graph.cast(name, dtype, equation.outputs[0]!.dtype)

/** The type that arithmetic on these values happens in: tfjs counts bool as int32. */
export const arithmeticType = (values: ReadonlyArray<Value>): "float32" | "int32" =>
  values.some(({ dtype }) => dtype === "float32") ? "float32" : "int32"
