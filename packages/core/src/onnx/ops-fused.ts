/** The kernels that tfjs does not have, listed with their meaning in program/fused.ts. */
import { isFirst, layouts, toFirst } from "../program/windows.js"
import { sizeOf } from "../tensor.js"
import { type Lowerings, number } from "./graph.js"
import { sumRows } from "./ops-index.js"

export const fused: Lowerings = {
  LayerNorm: (graph, equation, inputs) =>
    graph.nodes("LayerNormalization", inputs, 3, { axis: -1, epsilon: { float: number(equation.attrs.epsilon) } }),
  GeluTanh: (graph, _equation, inputs) => graph.node("Gelu", inputs, { approximate: "tanh" }),
  QuickGelu: (graph, equation, inputs) =>
    graph.node("com.microsoft:QuickGelu", inputs, { alpha: { float: number(equation.attrs.alpha) } }),
  GroupUnit: (graph, equation, [x]) => {
    const first = isFirst(equation.attrs)
    const { shape } = equation.inputs[0]!
    const image = first ? shape : toFirst(shape)
    const rows = sizeOf(equation.outputs[1]!.shape)
    const width = sizeOf(shape) / rows
    const turned = first ? x! : graph.node("Transpose", [x!], { perm: layouts.toFirst })
    const flat = graph.reshape(turned, image, [rows, width])
    const constants = [1, 0].map((value) => graph.filled("float32", [width], value))
    const [unit, , invStd] = graph.nodes("LayerNormalization", [flat, ...constants], 3, {
      axis: -1,
      epsilon: { float: number(equation.attrs.epsilon) },
    })
    const made = graph.reshape(unit!, [rows, width], image)
    return [
      first ? made : graph.node("Transpose", [made], { perm: layouts.toLast }),
      graph.reshape(invStd!, [rows, 1], equation.outputs[1]!.shape),
    ]
  },
  EmbedGrad: (graph, equation, [ids, dy]) => {
    const { dtype, shape } = equation.inputs[1]!
    const [count, width] = [shape[0]!, shape[1]!]
    const rows = number(equation.attrs.vocabulary)
    return sumRows(graph, equation, dy!, ids!, [count, width, rows], dtype)
  },
}
