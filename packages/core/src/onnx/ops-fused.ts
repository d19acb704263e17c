/** The kernels that tfjs does not have, listed with their meaning in program/fused.ts. */
import { sizeOf } from "../tensor.js"
import { type Lowerings, number } from "./graph.js"
import { sumRows } from "./ops-index.js"

export const fused: Lowerings = {
  LayerNorm: (graph, equation, inputs) =>
    graph.nodes("LayerNormalization", inputs, 3, { axis: -1, epsilon: { float: number(equation.attrs.epsilon) } }),
  GeluTanh: (graph, _equation, inputs) => graph.node("Gelu", inputs, { approximate: "tanh" }),
  SumOfSquares: (graph, _equation, inputs) => graph.node("ReduceSumSquare", inputs, { keepdims: 0 }),
  QuickGelu: (graph, equation, inputs) =>
    graph.node("com.microsoft:QuickGelu", inputs, { alpha: { float: number(equation.attrs.alpha) } }),
  GroupUnit: (graph, equation, [x]) => {
    const { shape } = equation.inputs[0]!
    const rows = sizeOf(equation.outputs[1]!.shape)
    const width = sizeOf(shape) / rows
    const flat = graph.reshape(x!, shape, [rows, width])
    const constants = [1, 0].map((value) => graph.filled("float32", [width], value))
    const [unit, , invStd] = graph.nodes("LayerNormalization", [flat, ...constants], 3, {
      axis: -1,
      epsilon: { float: number(equation.attrs.epsilon) },
    })
    return [graph.reshape(unit!, [rows, width], shape), graph.reshape(invStd!, [rows, 1], equation.outputs[1]!.shape)]
  },
  /** Writes into its inputs: for an engine that gives the tables as outputs too. */
  CachedAttentionInPlace: (graph, equation, [qkv, keys, values, lengths]) => {
    const [b, heads, slots] = equation.inputs[1]!.shape as [number, number, number]
    const [{ shape: rows }, { shape: made }] = [equation.inputs[0]!, equation.outputs[0]!]
    const [width, t] = [made.at(-1)!, lengths === undefined ? made[1]! : 1]
    // How many positions there are before the last one, row by row; and how many there are at most, of a prompt exactly.
    const before = lengths ?? graph.constant("int32", [b], new Array<number>(b).fill(t - 1))
    const [attended, ...tables] = graph.nodes(
      "com.microsoft:GroupQueryAttention",
      [
        graph.reshape(qkv!, rows, [b, t, 3 * width]),
        "",
        "",
        keys!,
        values!,
        before,
        graph.scalar("int32", lengths === undefined ? t : slots),
      ],
      3,
      { num_heads: heads, kv_num_heads: heads },
    )
    return [graph.reshape(attended!, [b, t, width], made), ...tables]
  },
  EmbedGrad: (graph, equation, [ids, dy, onto]) => {
    const { dtype, shape } = equation.inputs[1]!
    const [count, width] = [shape[0]!, shape[1]!]
    const rows = number(equation.attrs.vocabulary)
    return sumRows(graph, equation, dy!, ids!, [count, width, rows], dtype, onto)
  },
}
