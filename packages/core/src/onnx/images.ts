/** Images in ONNX have channels first. What a program still has with channels last is transposed around the operator. */
import { imageOperands } from "../program/imageKernels.js"
import type { Equation } from "../program/ir.js"
import { isFirst, layouts, toFirst } from "../program/windows.js"
import type { Graph, Lowering } from "./graph.js"

/** A lowering of tensors with channels first: `shapes` are those of the inputs in that layout. */
export type FirstLowering = (
  graph: Graph,
  equation: Equation,
  inputs: ReadonlyArray<string>,
  shapes: ReadonlyArray<ReadonlyArray<number>>,
) => string

export const turned =
  (lowering: FirstLowering): Lowering =>
  (graph, equation, inputs) => {
    const { images, result } = imageOperands.get(equation.op)!
    const shapes = equation.inputs.map(({ shape }) => shape)
    if (isFirst(equation.attrs)) return lowering(graph, equation, inputs, shapes)
    const turn = (name: string, perm: ReadonlyArray<number>): string => graph.node("Transpose", [name], { perm })
    const made = lowering(
      graph,
      equation,
      inputs.map((name, i) => (i < images ? turn(name, layouts.toFirst) : name)),
      shapes.map((shape, i) => (i < images ? toFirst(shape) : shape)),
    )
    return result ? turn(made, layouts.toLast) : made
  }
