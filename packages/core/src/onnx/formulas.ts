/** Functions that ONNX has no operator for, written so that they lose no digits where tfjs loses none. */
import type { DType } from "../tensor.js"
import type { Graph } from "./graph.js"

export const where = (graph: Graph, condition: string, yes: string, no: string): string =>
  graph.node("Where", [condition, yes, no])

/** tanh(x/2) gives e^x - 1 without cancellation near zero; further out the plain form is exact and does not saturate. */
export const expm1 = (graph: Graph, x: string): string => {
  const one = graph.scalar("float32", 1)
  const half = graph.node("Tanh", [graph.node("Mul", [x, graph.scalar("float32", 0.5)])])
  const near = graph.node("Div", [graph.node("Add", [half, half]), graph.node("Sub", [one, half])])
  const far = graph.node("Sub", [graph.node("Exp", [x]), one])
  const small = graph.node("Less", [graph.node("Abs", [x]), graph.scalar("float32", 0.5)])
  return where(graph, small, near, far)
}

/** log(1 + x) = 2 atanh(x / (x + 2)), which does not cancel near zero. */
export const log1p = (graph: Graph, x: string): string => {
  const two = graph.scalar("float32", 2)
  const ratio = graph.node("Div", [x, graph.node("Add", [x, two])])
  const near = graph.node("Mul", [graph.node("Atanh", [ratio]), two])
  const far = graph.node("Log", [graph.node("Add", [x, graph.scalar("float32", 1)])])
  return where(graph, graph.node("Less", [x, graph.scalar("float32", 1)]), near, far)
}

/** 1 above zero, alpha below, NaN where x is. */
export const step = (graph: Graph, x: string, alpha: number): string => {
  const zero = graph.scalar("float32", 0)
  const below = where(graph, graph.node("LessOrEqual", [x, zero]), graph.scalar("float32", alpha), x)
  return where(graph, graph.node("Greater", [x, zero]), graph.scalar("float32", 1), below)
}

/** The angle of (x, y): atan(y / x), moved by a half turn to the left of the vertical axis. */
export const atan2 = (graph: Graph, y: string, x: string): string => {
  const zero = graph.scalar("float32", 0)
  const float = (value: number): string => graph.scalar("float32", value)
  const up = graph.node("GreaterOrEqual", [y, zero])
  const plain = graph.node("Atan", [graph.node("Div", [y, x])])
  const turned = graph.node("Add", [plain, where(graph, up, float(Math.PI), float(-Math.PI))])
  const left = where(graph, graph.node("Less", [x, zero]), turned, plain)
  const origin = graph.node("And", [graph.node("Equal", [x, zero]), graph.node("Equal", [y, zero])])
  return where(graph, origin, zero, left)
}

export const sign = (graph: Graph, [x]: ReadonlyArray<string>, dtype: DType): string => {
  const zero = graph.scalar(dtype, 0)
  const side = (op: string): string => graph.cast(graph.node(op, [x!, zero]), "bool", dtype)
  return graph.node("Sub", [side("Greater"), side("Less")])
}
