/** Images in ONNX have channels first: `lower` brings every kernel of images into that form before it writes them. */
import type { Equation } from "../program/ir.js"
import type { Graph, Lowering } from "./graph.js"

/** A lowering that also sees the shapes of its inputs, [b, c, y, x] those of images. */
export type ImageLowering = (
  graph: Graph,
  equation: Equation,
  inputs: ReadonlyArray<string>,
  shapes: ReadonlyArray<ReadonlyArray<number>>,
) => string

export const ofImages =
  (lowering: ImageLowering): Lowering =>
  (graph, equation, inputs) =>
    lowering(
      graph,
      equation,
      inputs,
      equation.inputs.map(({ shape }) => shape),
    )
