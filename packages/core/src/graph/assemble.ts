/** From a plan to a checked graph: what the builder and the decoder have in common. */

import { applyNodes, paramsOf } from "./apply.js"
import { checkAxes, checkNames, checkShares, checkWires, levelOf } from "./check.js"
import { planJson } from "./encode.js"
import { order } from "./order.js"
import type { Graph } from "./parts.js"
import type { GraphPlan } from "./plan.js"
import { place } from "./rename.js"
import { runStages } from "./stages.js"
import { unify } from "./unify.js"
import { sourcesOf } from "./wires.js"

/** @throws DuplicateNode, UnknownWire, Cycle, BadConfig, ShapeMismatch */
export const assemble = (plan: GraphPlan): Graph => {
  checkNames(plan)
  const level = levelOf(plan)
  checkAxes(plan)
  const placed = plan.nodes.map(place)
  const sources = sourcesOf(plan.inputs, placed)
  checkWires(plan, sources)
  checkShares(plan)
  const nodes = order(plan.name, placed, sources)
  const { name, inputs, sizes } = plan
  unify({ name, inputs, sizes, nodes })
  const ports = plan.outputs.wires.map(([output, wire]) => [output, sources.get(wire)!.type] as const)
  const parts = {
    type: "graph",
    version: 1,
    name,
    inputs,
    in: inputs,
    out: plan.outputs.single ? ports[0]![1] : Object.fromEntries(ports),
    sizes,
    nodes,
    outputs: Object.fromEntries(plan.outputs.wires),
    config: planJson({ ...plan, nodes }),
  } as const
  if (level === "stage") return { ...parts, level, run: runStages(parts), code: "", volatile: false }
  return { ...parts, level, params: paramsOf(nodes), apply: applyNodes(parts) }
}
