/** A stage graph as one stage: for a graph nested in another; a run opens graphs and executes their stages itself. */
import { Effect } from "effect"
import { isPort, type Outputs } from "../node.js"
import { split } from "../random/key.js"
import { Stage, type StageContext } from "../run/context.js"
import type { GraphNode } from "./parts.js"
import { keep } from "./wires.js"

type Named<T> = Readonly<Record<string, T>>

/** `run` of a stage graph: its stages in order, each with a name and a key of its own. */
export const runStages =
  (graph: { readonly nodes: ReadonlyArray<GraphNode>; readonly out: Outputs; readonly outputs: Named<string> }) =>
  (inputs: Named<unknown>): Effect.Effect<unknown, unknown, StageContext> =>
    Effect.gen(function* () {
      const outer = yield* Stage
      const values = new Map(Object.entries(inputs))
      for (const { name, node, wires, out } of graph.nodes) {
        if (node.level !== "stage") continue
        const given = Object.fromEntries(Object.entries(wires).map(([port, wire]) => [port, values.get(wire)]))
        const stage = { ...outer, name: `${outer.name} > ${name}`, key: split(outer.key, name) }
        keep(values, name, out, yield* node.run(given).pipe(Effect.provideService(Stage, stage)))
      }
      const outputs = Object.entries(graph.outputs).map(([name, wire]) => [name, values.get(wire)] as const)
      return isPort(graph.out) ? outputs[0]![1] : Object.fromEntries(outputs)
    })
