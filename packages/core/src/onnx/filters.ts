/** Filters [y, x, c, f] in the order of ONNX, which has the taps last. */
import { sizeOf } from "../tensor.js"
import type { Graph } from "./graph.js"

/** From this many pairs of channels on, moving the taps one by one is faster than ONNX Runtime's Transpose. */
const manyChannels = 4096

/** [taps, pairs, 1] as [1, pairs, taps]. */
const tapsLast = (graph: Graph, apart: string, taps: number, turned: boolean): string => {
  const parts = graph.nodes("Split", [apart], taps, { axis: 0, num_outputs: taps })
  return graph.node("Concat", turned ? parts.toReversed() : parts, { axis: 2 })
}

/** [y, x, c, f] as [f, c, y, x]. */
export const outputsFirst = (graph: Graph, filter: string, shape: ReadonlyArray<number>): string => {
  const [rows, columns, from, to] = shape as [number, number, number, number]
  const taps = rows * columns
  if (taps === 1) {
    const turned = graph.node("Transpose", [graph.reshape(filter, shape, [from, to])], { perm: [1, 0] })
    return graph.reshape(turned, [to, from], [to, from, 1, 1])
  }
  if (from * to < manyChannels) return graph.node("Transpose", [filter], { perm: [3, 2, 0, 1] })
  const swapped = graph.node("Transpose", [graph.reshape(filter, shape, [taps, from, to])], { perm: [0, 2, 1] })
  const apart = graph.reshape(swapped, [taps, to, from], [taps, to * from, 1])
  return graph.reshape(tapsLast(graph, apart, taps, false), [1, to * from, taps], [to, from, rows, columns])
}

/** [y, x, c, f] as [c, f, y, x], the taps turned by a half turn if so wanted. */
export const inputsFirst = (graph: Graph, filter: string, shape: ReadonlyArray<number>, turned: boolean): string => {
  const [rows, columns, from, to] = shape as [number, number, number, number]
  const taps = rows * columns
  const wanted = [from, to, rows, columns]
  if (taps === 1 || sizeOf(shape) === 0) return graph.reshape(filter, shape, wanted)
  const apart = graph.reshape(filter, shape, [taps, from * to, 1])
  return graph.reshape(tapsLast(graph, apart, taps, turned), [1, from * to, taps], wanted)
}
