/** One node swapped, all wires kept. */
import { UnknownWire } from "../errors.js"
import type { NodePortsOf } from "../graph.js"
import { isPort, type Node } from "../node.js"
import { didYouMean } from "../suggest.js"
import { assemble } from "./assemble.js"
import type { Graph } from "./parts.js"

type PortsAt<G, K> = K extends keyof NodePortsOf<G> ? NodePortsOf<G>[K] : never

// `Node<In, Out>` lets a node with more in-ports through; nothing would be wired to them.
type SamePorts<G, K, N extends Node> =
  PortsAt<G, K> extends { readonly in: infer In; readonly out: infer Out }
    ? [keyof N["in"], N["in"], N["out"]] extends [keyof In, In, Out]
      ? unknown
      : "the new node must have the ports of the old one"
    : unknown

/**
 * The graph with another node of the same ports under `name`: a rule in place of a model. Options and wires stay.
 * @throws UnknownWire    no node of that name, or (where types were bypassed) an in-port that the old node lacks
 * @throws ShapeMismatch  ports or sizes that do not fit the wires
 */
export const replaceNode = <G extends Graph, K extends keyof NodePortsOf<G> & string, N extends Node>(
  graph: G,
  name: K,
  node: N & SamePorts<G, K, N>,
): G => {
  const old = graph.nodes.find((other) => other.name === name)
  if (old === undefined) {
    throw new UnknownWire({
      where: graph.name,
      expected: "a node of the graph",
      received: JSON.stringify(name),
      fix: didYouMean(
        name,
        graph.nodes.map((other) => other.name),
      ),
    })
  }
  return assemble({
    name: graph.name,
    inputs: graph.inputs,
    sizes: graph.sizes,
    nodes: graph.nodes.map((other) => (other === old ? { ...other, node } : other)),
    outputs: { single: isPort(graph.out), wires: Object.entries(graph.outputs) },
  }) as G
}
