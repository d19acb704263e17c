/** The kernels that tfjs does not have, listed with their meaning in program/fused.ts. */
import { type Lowerings, number } from "./graph.js"
import { sumRows } from "./ops-index.js"

export const fused: Lowerings = {
  LayerNorm: (graph, equation, inputs) =>
    graph.nodes("LayerNormalization", inputs, 3, { axis: -1, epsilon: { float: number(equation.attrs.epsilon) } }),
  GeluTanh: (graph, _equation, inputs) => graph.node("Gelu", inputs, { approximate: "tanh" }),
  SumOfSquares: (graph, _equation, inputs) => graph.node("ReduceSumSquare", inputs, { keepdims: 0 }),
  EmbedGrad: (graph, equation, [ids, dy, onto]) => {
    const { dtype, shape } = equation.inputs[1]!
    const [count, width] = [shape[0]!, shape[1]!]
    const rows = number(equation.attrs.vocabulary)
    return sumRows(graph, equation, dy!, ids!, [count, width, rows], dtype, onto)
  },
}
