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
    const [b, heads, slots] = equation.inputs[1]!.shape
    const [rows, width] = [equation.inputs[0]!.shape, equation.outputs[0]!.shape[1]!]
    const position = graph.reshape(qkv!, rows, [b!, 1, 3 * width])
    const [attended, ...tables] = graph.nodes(
      "com.microsoft:GroupQueryAttention",
      [position, "", "", keys!, values!, lengths!, graph.scalar("int32", slots!)],
      3,
      { num_heads: heads!, kv_num_heads: heads! },
    )
    return [graph.reshape(attended!, [b!, 1, width], [b!, width]), ...tables]
  },
  EmbedGrad: (graph, equation, [ids, dy, onto]) => {
    const { dtype, shape } = equation.inputs[1]!
    const [count, width] = [shape[0]!, shape[1]!]
    const rows = number(equation.attrs.vocabulary)
    return sumRows(graph, equation, dy!, ids!, [count, width, rows], dtype, onto)
  },
}
