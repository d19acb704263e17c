/** Kernels that move elements and compute nothing, and those that make tensors from attributes. */
import { slice_util } from "@tensorflow/tfjs-core"
import type { Equation } from "../program/ir.js"
import { sizeOf } from "../tensor.js"
import { axisOf, type Graph, type Lowering, type Lowerings, number, numbers } from "./graph.js"

/** As far below zero as an end can be: a slice with a negative step then includes element 0. */
const beforeFirst = -(2 ** 31)

const reshape: Lowering = (graph, equation, [x]) =>
  graph.reshape(x!, equation.inputs[0]!.shape, equation.outputs[0]!.shape)

/** Slices along every axis that is not taken whole. */
const slice = (
  graph: Graph,
  x: string,
  shape: ReadonlyArray<number>,
  begin: ReadonlyArray<number>,
  end: ReadonlyArray<number>,
  strides: ReadonlyArray<number>,
): string => {
  const axes = shape.map((_, i) => i).filter((i) => begin[i] !== 0 || end[i] !== shape[i] || strides[i] !== 1)
  if (axes.length === 0) return x
  const at = (values: ReadonlyArray<number>): string => graph.int64(axes.map((i) => values[i]!))
  return graph.node("Slice", [x, at(begin), at(end), graph.int64(axes), at(strides)])
}

const ones = (shape: ReadonlyArray<number>): ReadonlyArray<number> => shape.map(() => 1)

/** A tensor of one value, of the output's type and shape. */
const filled = (graph: Graph, { outputs: [out] }: Equation, value: number): string =>
  graph.filled(out!.dtype, out!.shape, value)

export const shape: Lowerings = {
  Reshape: reshape,
  ExpandDims: reshape,
  Transpose: (graph, equation, [x]) => {
    const perm = numbers(equation.attrs.perm)
    return perm.every((axis, i) => axis === i) ? x! : graph.node("Transpose", [x!], { perm })
  },
  Concat: (graph, equation, inputs) => {
    const { dtype, shape } = equation.outputs[0]!
    const parts = inputs.map((name, i) => graph.cast(name, equation.inputs[i]!.dtype, dtype))
    return graph.node("Concat", parts, { axis: axisOf(number(equation.attrs.axis), shape.length) })
  },
  Pack: (graph, equation, inputs) => {
    const { shape } = equation.outputs[0]!
    const axis = axisOf(number(equation.attrs.axis), shape.length)
    const row = shape.map((size, i) => (i === axis ? 1 : size))
    const rows = inputs.map((name, i) => graph.reshape(name, equation.inputs[i]!.shape, row))
    return graph.node("Concat", rows, { axis })
  },
  Unpack: (graph, equation, [x]) => {
    const { shape } = equation.inputs[0]!
    const axis = axisOf(number(equation.attrs.axis), shape.length)
    const row = shape.map((size, i) => (i === axis ? 1 : size))
    const count = equation.outputs.length
    const rows = count === 1 ? [x!] : graph.nodes("Split", [x!], count, { axis, num_outputs: count })
    return rows.map((name, i) => graph.reshape(name, row, equation.outputs[i]!.shape))
  },
  Slice: (graph, equation, [x]) => {
    const { shape } = equation.inputs[0]!
    // Missing trailing sizes are taken from the output, which capture has worked out.
    const begin = shape.map((_, i) => numbers(equation.attrs.begin)[i] ?? 0)
    const end = begin.map((first, i) => first + equation.outputs[0]!.shape[i]!)
    return slice(graph, x!, shape, begin, end, ones(shape))
  },
  StridedSlice: (graph, equation, [x]) => {
    const { shape } = equation.inputs[0]!
    const attr = (name: string): Array<number> => [...numbers(equation.attrs[name])]
    const mask = (name: string): number => number(equation.attrs[name])
    const info = slice_util.sliceInfo(
      [...shape],
      attr("begin"),
      attr("end"),
      attr("strides"),
      mask("beginMask"),
      mask("endMask"),
      mask("ellipsisMask"),
      mask("newAxisMask"),
      mask("shrinkAxisMask"),
    )
    const end = info.end.map((last) => (last < 0 ? beforeFirst : last))
    const part = slice(graph, x!, shape, info.begin, end, info.strides)
    const sizes = shape.map((_, i) => Math.max(0, Math.ceil((info.end[i]! - info.begin[i]!) / info.strides[i]!)))
    return graph.reshape(part, sizes, equation.outputs[0]!.shape)
  },
  SplitV: (graph, equation, [x]) => {
    const axis = axisOf(number(equation.attrs.axis), equation.inputs[0]!.shape.length)
    const sizes = equation.outputs.map(({ shape }) => shape[axis]!)
    return sizes.length === 1 ? x! : graph.nodes("Split", [x!, graph.int64(sizes)], sizes.length, { axis })
  },
  Tile: (graph, equation, [x]) => {
    const from = equation.inputs[0]!.shape
    const to = equation.outputs[0]!.shape
    const reps = numbers(equation.attrs.reps)
    if (reps.every((count) => count === 1)) return x!
    // A size of 1 that is repeated is broadcasting, which Expand does faster than Tile.
    const broadcasts = from.every((size, i) => size === 1 || reps[i] === 1)
    return broadcasts ? graph.node("Expand", [x!, graph.int64(to)]) : graph.node("Tile", [x!, graph.int64(reps)])
  },
  PadV2: (graph, equation, [x]) => {
    const { dtype, shape } = equation.inputs[0]!
    const pairs = numbers(equation.attrs.paddings)
    const before = shape.map((_, i) => pairs[2 * i]!)
    const after = shape.map((_, i) => pairs[2 * i + 1]!)
    if (pairs.every((count) => count === 0)) return x!
    const value = graph.scalar(dtype, number(equation.attrs.constantValue))
    return graph.node("Pad", [x!, graph.int64([...before, ...after]), value])
  },
  Reverse: (graph, equation, [x]) => {
    const { shape } = equation.inputs[0]!
    const axes = numbers(equation.attrs.dims).map((axis) => axisOf(axis, shape.length))
    if (axes.length === 0) return x!
    const every = (value: number): string => graph.int64(axes.map(() => value))
    return graph.node("Slice", [x!, every(-1), every(beforeFirst), graph.int64(axes), every(-1)])
  },
  Fill: (graph, equation) => filled(graph, equation, number(equation.attrs.value)),
  ZerosLike: (graph, equation) => filled(graph, equation, 0),
  OnesLike: (graph, equation) => filled(graph, equation, 1),
  Range: (graph, equation) => {
    const { dtype, shape } = equation.outputs[0]!
    const start = number(equation.attrs.start)
    const stop = number(equation.attrs.stop)
    const given = number(equation.attrs.step, 1)
    const step = stop < start && given === 1 ? -1 : given
    const values = new Float64Array(sizeOf(shape))
    // Added up in the type of the result, as tfjs does.
    const round = dtype === "float32" ? Math.fround : (x: number): number => x
    for (let i = 0; i < values.length; i++) values[i] = i === 0 ? round(start) : round(values[i - 1]! + step)
    return graph.constant(dtype, shape, values)
  },
  LinSpace: (graph, equation) => {
    const { dtype, shape } = equation.outputs[0]!
    const start = number(equation.attrs.start)
    const count = sizeOf(shape)
    const step = count === 1 ? 0 : (number(equation.attrs.stop) - start) / (count - 1)
    const values = new Float64Array(count)
    for (let i = 0; i < count; i++) values[i] = i === 0 ? start : Math.fround(values[i - 1]!) + step
    return graph.constant(dtype, shape, values)
  },
}
