/** What a graph is made of. */
import type { Node, Outputs, StageNode, TensorNode } from "../node.js"
import type { Ports } from "../port.js"
import type { NodePlan } from "./plan.js"

/** A node in its place: its ports and sizes are those of `node` with the axes called as in this graph. */
export interface GraphNode extends NodePlan {
  readonly in: Ports
  readonly out: Outputs
  readonly sizes: Readonly<Record<string, number>>
}

/** What a graph has beyond a node. `out` is one port where the graph was ended by one name, else ports by name. */
export interface GraphParts<In extends Ports = Ports> {
  readonly type: "graph"
  readonly name: string
  readonly inputs: In
  /** Each after everything that it needs. */
  readonly nodes: ReadonlyArray<GraphNode>
  /** Output name -> wire. */
  readonly outputs: Readonly<Record<string, string>>
}

/** The own ports of a graph's nodes by name, axes not renamed: known to the compiler alone. */
export type NodePorts = Readonly<Record<string, { readonly in: Ports; readonly out: Outputs }>>

/** A graph of tensor nodes; itself a tensor node. */
export interface TensorGraph<
  In extends Ports = Ports,
  Out extends Outputs = Outputs,
  Nodes extends NodePorts = NodePorts,
> extends TensorNode<In, Out>,
    GraphParts<In> {
  readonly type: "graph"
  readonly nodePorts?: Nodes
}

/** A graph of stage nodes; itself a stage node. */
export interface StageGraph<
  In extends Ports = Ports,
  Out extends Outputs = Outputs,
  Nodes extends NodePorts = NodePorts,
> extends StageNode<In, Out>,
    GraphParts<In> {
  readonly type: "graph"
  readonly nodePorts?: Nodes
}

export type Graph<In extends Ports = Ports, Out extends Outputs = Outputs, Nodes extends NodePorts = NodePorts> =
  | TensorGraph<In, Out, Nodes>
  | StageGraph<In, Out, Nodes>

/** Whether a node is a graph. */
export const isGraph = (node: Node): node is Graph => node.type === "graph" && "nodes" in node
