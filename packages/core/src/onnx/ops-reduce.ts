/** Reductions, scans, softmax and matrix products. */
import type { Equation } from "../program/ir.js"
import { sizeOf } from "../tensor.js"
import {
  arithmeticType,
  asOutput,
  axisOf,
  type Graph,
  type Lowering,
  type Lowerings,
  number,
  numbers,
} from "./graph.js"
import type { ElementType } from "./proto.js"

const axesOf = ({ inputs: [x], attrs }: Equation): ReadonlyArray<number> => {
  const given = attrs.axis ?? attrs.reductionIndices
  const rank = x!.shape.length
  return given === undefined ? x!.shape.map((_, i) => i) : numbers(given).map((axis) => axisOf(axis, rank))
}

const reduce =
  (op: string, typeOf: (equation: Equation) => ElementType): Lowering =>
  (graph, equation, [x]) => {
    const dtype = typeOf(equation)
    const from = equation.inputs[0]!
    const to = equation.outputs[0]!
    const data = graph.cast(x!, from.dtype, dtype)
    const axes = axesOf(equation)
    if (axes.length === 0) return asOutput(graph, equation, data, dtype)
    const keepdims = equation.attrs.keepDims === true ? 1 : 0
    const over = (operator: string, name: string): string =>
      graph.node(operator, [name, graph.int64(axes)], { keepdims })
    const node =
      dtype === "float32" && (op === "ReduceMax" || op === "ReduceMin")
        ? orNaN(graph, data, over(op, data), (name) => over("ReduceMax", name))
        : over(op, data)
    // Some tfjs kernels leave the size-1 axes to a Reshape of the caller: the recorded shape decides.
    const reduced = from.shape.flatMap((size, i) => (axes.includes(i) ? (keepdims ? [1] : []) : [size]))
    return graph.reshape(asOutput(graph, equation, node, dtype), reduced, to.shape)
  }

/** ONNX Runtime's extrema skip NaN, or not, by where it stands; here one NaN is enough for the result to be NaN. */
const orNaN = (graph: Graph, data: string, result: string, any: (name: string) => string): string => {
  const found = graph.cast(any(graph.cast(graph.node("IsNaN", [data]), "bool", "int32")), "int32", "bool")
  return graph.node("Where", [found, graph.scalar("float32", Number.NaN), result])
}

const arithmetic = ({ inputs }: Equation): ElementType => arithmeticType(inputs)

const arg =
  (op: string): Lowering =>
  (graph, equation, [x]) => {
    const { dtype, shape } = equation.inputs[0]!
    const data = graph.cast(x!, dtype, dtype === "bool" ? "int32" : dtype)
    const axis = axisOf(numbers(equation.attrs.axis)[0] ?? 0, shape.length)
    return graph.cast(graph.node(op, [data], { axis, keepdims: 0 }), "int64", "int32")
  }

/** Prefix products by doubling: log₂ n multiplications with the tensor moved by 1, 2, 4, … places. */
const cumprod: Lowering = (graph, equation, [x]) => {
  const dtype = arithmeticType(equation.inputs)
  const { shape } = equation.inputs[0]!
  const axis = axisOf(number(equation.attrs.axis), shape.length)
  const size = shape[axis]!
  const back = equation.attrs.reverse === true
  const moved = (name: string, by: number): string => {
    const before = shape.map((_, i) => (i === axis && !back ? by : 0))
    const after = shape.map((_, i) => (i === axis && back ? by : 0))
    const padded = graph.node("Pad", [name, graph.int64([...before, ...after]), graph.scalar(dtype, 1)])
    const first = back ? by : 0
    return graph.node("Slice", [padded, graph.int64([first]), graph.int64([first + size]), graph.int64([axis])])
  }
  let result = graph.cast(x!, equation.inputs[0]!.dtype, dtype)
  if (equation.attrs.exclusive === true) result = moved(result, 1)
  for (let by = 1; by < size; by *= 2) result = graph.node("Mul", [result, moved(result, by)])
  return asOutput(graph, equation, result, dtype)
}

/**
 * Over the last axis of a matrix: ONNX Runtime moves transposes of images behind a softmax of more axes, and takes ten
 * times as long over an axis in the middle.
 */
const softmax =
  (op: string, attr: string): Lowering =>
  (graph, equation, [x]) => {
    const { dtype, shape } = equation.inputs[0]!
    const axis = axisOf(number(equation.attrs[attr], -1), shape.length)
    const data = graph.cast(x!, dtype, "float32")
    if (axis !== shape.length - 1 || shape.length < 3) return graph.node(op, [data], { axis })
    const rows = [sizeOf(shape.slice(0, -1)), shape[axis]!]
    return graph.reshape(graph.node(op, [graph.reshape(data, shape, rows)], { axis: 1 }), rows, shape)
  }

const swapLast = (graph: Graph, x: string, rank: number): string => {
  const perm = Array.from({ length: rank }, (_, i) => i)
  return graph.node("Transpose", [x], { perm: [...perm.slice(0, -2), rank - 1, rank - 2] })
}

/** a · b over the last two axes, either one transposed. */
const matMul = (graph: Graph, { inputs: [a, b], attrs }: Equation, [x, y]: ReadonlyArray<string>): string => {
  const transA = attrs.transposeA === true
  const transB = attrs.transposeB === true
  const scale = number(attrs.scale, 1)
  if (!transA && !transB && scale === 1) return graph.node("MatMul", [x!, y!])
  if (arithmeticType([a!, b!]) === "int32") {
    const left = transA ? swapLast(graph, x!, a!.shape.length) : x!
    const right = transB ? swapLast(graph, y!, b!.shape.length) : y!
    return graph.node("MatMul", [left, right])
  }
  const alpha = scale === 1 ? {} : { alpha: { float: scale } }
  const attributes = { transA: transA ? 1 : 0, transB: transB ? 1 : 0, ...alpha }
  return a!.shape.length === 2 && b!.shape.length === 2
    ? graph.node("Gemm", [x!, y!], attributes)
    : graph.node("com.microsoft:FusedMatMul", [x!, y!], attributes)
}

const activate = (graph: Graph, { attrs }: Equation, x: string, slope: string | undefined): string => {
  const activation = attrs.activation ?? "linear"
  if (activation === "relu") return graph.node("Relu", [x])
  if (activation === "relu6") return graph.node("Clip", [x, graph.scalar("float32", 0), graph.scalar("float32", 6)])
  if (activation === "elu") return graph.node("Elu", [x])
  if (activation === "sigmoid") return graph.node("Sigmoid", [x])
  if (activation === "leakyrelu") {
    return graph.node("LeakyRelu", [x], { alpha: { float: number(attrs.leakyreluAlpha, 0.2) } })
  }
  return activation === "prelu" ? graph.node("PRelu", [x, slope!]) : x
}

/** Sums of the columns of a matrix as a product with ones: ONNX Runtime's ReduceSum takes twice as long. */
const sum: Lowering = (graph, equation, inputs) => {
  const [{ dtype, shape }] = equation.inputs as [Equation["inputs"][number]]
  const columns = dtype === "float32" && shape.length === 2 && sizeOf(shape) > 0 && String(axesOf(equation)) === "0"
  if (!columns) return reduce("ReduceSum", arithmetic)(graph, equation, inputs)
  const sums = graph.node("MatMul", [graph.filled("float32", [shape[0]!], 1), inputs[0]!])
  return graph.reshape(sums, [shape[1]!], equation.outputs[0]!.shape)
}

export const reducing: Lowerings = {
  Sum: sum,
  Mean: reduce("ReduceMean", () => "float32"),
  Prod: reduce("ReduceProd", arithmetic),
  Max: reduce("ReduceMax", arithmetic),
  Min: reduce("ReduceMin", arithmetic),
  All: reduce("ReduceMin", () => "int32"),
  Any: reduce("ReduceMax", () => "int32"),
  ArgMax: arg("ArgMax"),
  ArgMin: arg("ArgMin"),
  Cumsum: (graph, equation, [x]) => {
    const dtype = arithmeticType(equation.inputs)
    const { dtype: from, shape } = equation.inputs[0]!
    const axis = graph.scalar("int32", axisOf(number(equation.attrs.axis), shape.length))
    const flag = (name: string): number => (equation.attrs[name] === true ? 1 : 0)
    const attributes = { exclusive: flag("exclusive"), reverse: flag("reverse") }
    return asOutput(graph, equation, graph.node("CumSum", [graph.cast(x!, from, dtype), axis], attributes), dtype)
  },
  Cumprod: cumprod,
  Softmax: softmax("Softmax", "dim"),
  LogSoftmax: softmax("LogSoftmax", "axis"),
  BatchMatMul: (graph, equation, inputs) => matMul(graph, equation, inputs),
  ScaledMatMul: (graph, equation, inputs) => matMul(graph, equation, inputs),
  /** With a bias of one axis on matrices this is one Gemm. */
  _FusedMatMul: (graph, equation, inputs) => {
    const [a, b, c] = equation.inputs
    const [x, y, bias] = inputs
    const prelu = equation.attrs.activation === "prelu" ? inputs.at(-1) : undefined
    const biased = c !== undefined && !(prelu !== undefined && inputs.length === 3)
    const plain = a!.shape.length === 2 && b!.shape.length === 2 && arithmeticType([a!, b!]) === "float32"
    if (!biased) return activate(graph, equation, matMul(graph, equation, inputs), prelu)
    if (plain && c.shape.length <= 2) {
      const trans = (name: string): number => (equation.attrs[name] === true ? 1 : 0)
      const gemm = graph.node("Gemm", [x!, y!, bias!], { transA: trans("transposeA"), transB: trans("transposeB") })
      return activate(graph, equation, gemm, prelu)
    }
    return activate(graph, equation, graph.node("Add", [matMul(graph, equation, inputs), bias!]), prelu)
  },
}
