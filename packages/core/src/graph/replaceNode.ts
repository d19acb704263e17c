/** One node swapped for another. */
import { ShapeMismatch, UnknownWire } from "../errors.js"
import type { NodePortsOf } from "../graph.js"
import { isPort, type Node, type Outputs } from "../node.js"
import { samePort, showPort } from "../port.js"
import { didYouMean } from "../suggest.js"
import { assemble } from "./assemble.js"
import { type Finding, failureOf } from "./findings.js"
import type { Graph, StageGraph, TensorGraph } from "./parts.js"
import type { NodePlan } from "./plan.js"
import { axesOfNode } from "./rename.js"
import { outWires } from "./wires.js"

type PortsAt<G, K> = K extends keyof NodePortsOf<G> ? NodePortsOf<G>[K] : never

type SameOut<New, Old> = Outputs extends Old ? true : [keyof New, New] extends [keyof Old, Old] ? true : false

/** A node that can take the place of another, or why it cannot. */
type Replacement<Old, N extends Node> = Old extends { readonly in: infer In; readonly out: infer Out }
  ? [keyof N["in"]] extends [keyof In]
    ? [N["in"]] extends [Pick<In, keyof N["in"] & keyof In>]
      ? SameOut<N["out"], Out> extends true
        ? N
        : "the new node must give what the old one gave"
      : "the new node must take the in-ports of the old one, or some of them"
    : `the new node needs ${Exclude<keyof N["in"], keyof In> & string}, to which the old one has no wire`
  : N

type InOf<P> = P extends { readonly in: infer In } ? In : never

type PortsWith<Nodes, K, N extends Node> = {
  readonly [Name in keyof Nodes]: Name extends K ? { readonly in: N["in"]; readonly out: N["out"] } : Nodes[Name]
}

// Where the in-ports are the same, the graph's type is the same.
type GraphWith<G, K, N extends Node> = [keyof InOf<PortsAt<G, K>>] extends [keyof N["in"]]
  ? G
  : G extends TensorGraph<infer In, infer Out, infer Nodes>
    ? TensorGraph<In, Out, PortsWith<Nodes, K, N>>
    : G extends StageGraph<infer In, infer Out, infer Nodes>
      ? StageGraph<In, Out, PortsWith<Nodes, K, N>>
      : G

/**
 * The graph with another node under `name`: a rule in place of a model. It gives what the old one gave and takes what
 * that took, or less: a wire that it does not need is dropped, as is a new name for an axis that it does not have.
 * All else stays.
 * @throws UnknownWire    no node of that name, or (where types were bypassed) an in-port that the old node lacks
 * @throws ShapeMismatch  other outputs than the old node's, or ports or sizes that do not fit the wires
 */
export const replaceNode = <G extends Graph, K extends keyof NodePortsOf<G> & string, N extends Node>(
  graph: G,
  name: K,
  node: Replacement<PortsAt<G, K>, N>,
): GraphWith<G, K, N> => swap(graph, name, node as Node) as GraphWith<G, K, N>

const swap = (graph: Graph, name: string, node: Node): Graph => {
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
  const more = Object.keys(node.in).filter((port) => !Object.hasOwn(old.wires, port))
  if (more.length > 0) {
    const had = Object.keys(old.wires).map((port) => `"${port}"`)
    const found = more.map((port) => ({
      at: `${name} > ${port}`,
      expected: had.length === 0 ? "no in-ports, as the old node" : `in-ports of the old node: ${had.join(", ")}`,
      received: `a new in-port "${port}"`,
      fix: "build the graph anew, with a wire for it",
    }))
    throw new UnknownWire(failureOf(graph.name, found))
  }
  const different = otherOutputs(name, old.node, node)
  if (different.length > 0) throw new ShapeMismatch(failureOf(graph.name, different))
  const axes = axesOfNode(node)
  const replaced: NodePlan = {
    ...old,
    node,
    wires: Object.fromEntries(Object.entries(old.wires).filter(([port]) => Object.hasOwn(node.in, port))),
    axes: Object.fromEntries(Object.entries(old.axes).filter(([axis]) => axes.includes(axis))),
  }
  return assemble({
    name: graph.name,
    inputs: graph.inputs,
    sizes: graph.sizes,
    nodes: graph.nodes.map((other) => (other === old ? replaced : other)),
    outputs: { single: isPort(graph.out), wires: Object.entries(graph.outputs) },
  })
}

const otherOutputs = (name: string, old: Node, node: Node): ReadonlyArray<Finding> => {
  const [had, has] = [old, node].map(({ out }) => new Map(outWires(name, out).map(([wire, , port]) => [wire, port])))
  return [...new Set([...had!.keys(), ...has!.keys()])].flatMap((wire) => {
    const [before, now] = [had!.get(wire), has!.get(wire)]
    if (before !== undefined && now !== undefined && samePort(before, now)) return []
    return [
      {
        at: wire,
        expected: before === undefined ? "no such output" : showPort(before),
        received: now === undefined ? "no such output" : showPort(now),
        fix: "give what the old node gave",
      },
    ]
  })
}
