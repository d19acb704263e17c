import type { Graph, StageGraph } from "../graph.js"
import type { Node } from "../node.js"

/** A node that is a graph of stages itself. */
export const isStageGraph = (node: Node): node is StageGraph => node.level === "stage" && "nodes" in node

/** Names of every stage, nested ones as `outer.inner`, in the order of the definition. */
export const stageNames = (graph: Graph, prefix = ""): ReadonlyArray<string> =>
  graph.nodes.flatMap(({ name, node }) =>
    isStageGraph(node) ? stageNames(node, `${prefix}${name}.`) : [prefix + name],
  )
