/** Kernels that address elements by index. Sums over repeated indices are always the deterministic kind. */
import type { Equation } from "../program/ir.js"
import { type DType, sizeOf } from "../tensor.js"
import { axisOf, type Graph, type Lowerings, number, stridesOf } from "./graph.js"

const product = sizeOf

/**
 * Rows of `updates` [count, width] added to (or put into) `target` [rows, width] at the rows that `index` [count] names.
 * ScatterElements works through the updates in order; ScatterND loses updates of one index on several threads.
 */
const scatterRows = (
  graph: Graph,
  target: string,
  index: string,
  updates: string,
  [count, width]: readonly [number, number],
  reduction: "add" | "none",
): string => {
  const column = graph.reshape(index, [count], [count, 1])
  const rows = width === 1 ? column : graph.node("Expand", [column, graph.int64([count, width])])
  return graph.node("ScatterElements", [target, rows, updates], { axis: 0, reduction })
}

/** Σ of the rows with the same index, [count, …] to [rows, …], added to `onto` (zeros unless given). */
export const sumRows = (
  graph: Graph,
  equation: Equation,
  updates: string,
  index: string,
  [count, width, rows]: readonly [number, number, number],
  dtype: DType,
  onto = graph.filled(dtype, [rows, width], 0),
): string => {
  const sums = scatterRows(graph, onto, index, updates, [count, width], "add")
  return graph.reshape(sums, [rows, width], equation.outputs[0]!.shape)
}

/** Index tuples [count, rank] as positions in row-major order. */
const flatIndex = (
  graph: Graph,
  indices: string,
  from: ReadonlyArray<number>,
  count: number,
  shape: ReadonlyArray<number>,
): string => {
  const rank = shape.length
  const table = graph.reshape(indices, from, [count, rank])
  if (rank === 1) return graph.reshape(table, [count, 1], [count])
  const strides = graph.constant("int32", [1, rank], stridesOf(shape))
  return graph.node("ReduceSum", [graph.node("Mul", [table, strides]), graph.int64([1])], { keepdims: 0 })
}

export const indexing: Lowerings = {
  GatherV2: (graph, equation, [x, indices]) => {
    const [data, index] = equation.inputs
    const batchDims = number(equation.attrs.batchDims)
    const axis = axisOf(number(equation.attrs.axis), data!.shape.length)
    if (batchDims === 0) return graph.node("Gather", [x!, indices!], { axis })
    const batch = product(data!.shape.slice(0, batchDims))
    const outer = product(data!.shape.slice(batchDims, axis))
    const size = data!.shape[axis]!
    const inner = product(data!.shape.slice(axis + 1))
    const count = product(index!.shape.slice(batchDims))
    const target = equation.outputs[0]!.shape
    if (outer === 1 && inner === 1) {
      const flat = graph.reshape(x!, data!.shape, [batch, size])
      const at = graph.reshape(indices!, index!.shape, [batch, count])
      return graph.reshape(graph.node("GatherElements", [flat, at], { axis: 1 }), [batch, count], target)
    }
    const swap = (name: string): string =>
      outer === 1 ? name : graph.node("Transpose", [name], { perm: [0, 2, 1, 3] })
    const flat = swap(graph.reshape(x!, data!.shape, [batch, outer, size, inner]))
    const table = outer === 1 ? graph.reshape(flat, [batch, 1, size, inner], [batch, size, 1, inner]) : flat
    const at = graph.reshape(graph.cast(indices!, index!.dtype, "int64"), index!.shape, [batch, count, 1])
    const rows = graph.node("GatherND", [table, at], { batch_dims: 1 })
    return graph.reshape(swap(rows), [batch, outer, count, inner], target)
  },
  GatherNd: (graph, equation, [params, indices]) =>
    graph.node("GatherND", [params!, graph.cast(indices!, equation.inputs[1]!.dtype, "int64")]),
  ScatterNd: (graph, equation, [indices, updates]) => {
    const [index, update] = equation.inputs
    const { shape } = equation.outputs[0]!
    const rank = index!.shape.at(-1) ?? 1
    const rows = product(shape.slice(0, rank))
    const width = product(shape.slice(rank))
    const count = product(index!.shape.slice(0, -1))
    const at = flatIndex(graph, indices!, index!.shape, count, shape.slice(0, rank))
    const values = graph.reshape(updates!, update!.shape, [count, width])
    return sumRows(graph, equation, values, at, [count, width, rows], update!.dtype)
  },
  TensorScatterUpdate: (graph, equation, [tensor, indices, updates]) => {
    const [target, index, update] = equation.inputs
    const { shape } = target!
    const rank = index!.shape.at(-1) ?? 1
    const count = product(index!.shape.slice(0, -1))
    if (count === 1) {
      return graph.node("ScatterND", [tensor!, graph.cast(indices!, index!.dtype, "int64"), updates!])
    }
    const rows = product(shape.slice(0, rank))
    const width = product(shape.slice(rank))
    const at = flatIndex(graph, indices!, index!.shape, count, shape.slice(0, rank))
    const values = graph.reshape(updates!, update!.shape, [count, width])
    const table = graph.reshape(tensor!, shape, [rows, width])
    return graph.reshape(scatterRows(graph, table, at, values, [count, width], "none"), [rows, width], shape)
  },
  UnsortedSegmentSum: (graph, equation, [x, segments]) => {
    const [data, ids] = equation.inputs
    const rows = number(equation.attrs.numSegments)
    const count = product(ids!.shape)
    const width = product(data!.shape.slice(ids!.shape.length))
    const values = graph.reshape(x!, data!.shape, [count, width])
    const at = graph.reshape(segments!, ids!.shape, [count])
    return sumRows(graph, equation, values, at, [count, width, rows], data!.dtype)
  },
  /** By comparison, so that an index outside the depth (and below zero) gives a row of off values. */
  OneHot: (graph, equation, [indices]) => {
    const { shape } = equation.inputs[0]!
    const { dtype } = equation.outputs[0]!
    const depth = number(equation.attrs.depth)
    const on = number(equation.attrs.onValue, 1)
    const off = number(equation.attrs.offValue)
    const column = graph.reshape(indices!, shape, [...shape, 1])
    const range = graph.constant(
      "int32",
      [depth],
      Array.from({ length: depth }, (_, i) => i),
    )
    const hit = graph.node("Equal", [column, range])
    if (on === 1 && off === 0) return graph.cast(hit, "bool", dtype)
    return graph.node("Where", [hit, graph.scalar(dtype, on), graph.scalar(dtype, off)])
  },
  TopK: (graph, equation, [x]) => {
    const k = graph.int64([number(equation.attrs.k)])
    const [values, indices] = graph.nodes("TopK", [x!, k], 2)
    return [values!, graph.cast(indices!, "int64", "int32")]
  },
}
