/** Graphs as JSON data: nodes are `type@version`, config, wires and options; nested graphs stand inline. */
import { Schema } from "effect"
import type { AxisNames } from "../axes.js"
import { jsonHash } from "../json.js"
import type { Ports } from "../port.js"
import { type Graph, isGraph } from "./parts.js"
import type { GraphPlan, NodePlan } from "./plan.js"

const Size = Schema.Int.pipe(Schema.check(Schema.isGreaterThan(0)))

const PortJson = Schema.Struct({
  dtype: Schema.Literals(["float32", "int32", "bool", "artifact"]),
  axes: Schema.String,
  unit: Schema.String,
})

const options = {
  wires: Schema.Record(Schema.String, Schema.String),
  frozen: Schema.optionalKey(Schema.Literal(true)),
  shares: Schema.optionalKey(Schema.String),
  axes: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
}

export interface GraphNodeJson {
  readonly name: string
  /** `type@version` */
  readonly node?: string
  readonly config?: unknown
  /** In place of `node` and `config`. */
  readonly graph?: GraphJson
  readonly wires: Readonly<Record<string, string>>
  readonly frozen?: true
  readonly shares?: string
  /** Axis of the node -> its name in this graph. */
  readonly axes?: AxisNames
}

export interface GraphJson {
  readonly name: string
  readonly inputs: Readonly<Record<string, typeof PortJson.Type>>
  readonly sizes?: Readonly<Record<string, number>>
  readonly nodes: ReadonlyArray<GraphNodeJson>
  /** One wire alone, or output name -> wire. */
  readonly outputs: string | Readonly<Record<string, string>>
}

const GraphNodeJson: Schema.Codec<GraphNodeJson> = Schema.Struct({
  name: Schema.String,
  node: Schema.optionalKey(Schema.String),
  config: Schema.optionalKey(Schema.Unknown),
  graph: Schema.optionalKey(Schema.suspend((): Schema.Codec<GraphJson> => GraphJson)),
  ...options,
})

/** The schema of a graph file. */
export const GraphJson: Schema.Codec<GraphJson> = Schema.Struct({
  name: Schema.String,
  inputs: Schema.Record(Schema.String, PortJson),
  sizes: Schema.optionalKey(Schema.Record(Schema.String, Size)),
  nodes: Schema.Array(GraphNodeJson),
  outputs: Schema.Union([Schema.String, Schema.Record(Schema.String, Schema.String)]),
})

const portsJson = (ports: Ports): GraphJson["inputs"] =>
  Object.fromEntries(
    Object.entries(ports).map(([name, { dtype, axes, unit }]) => [
      name,
      { dtype: dtype as (typeof PortJson.Type)["dtype"], axes, unit },
    ]),
  )

const nodeJson = ({ name, node, wires, frozen, shares, axes }: NodePlan): GraphNodeJson => ({
  name,
  ...(isGraph(node) ? { graph: encodeGraph(node) } : { node: `${node.type}@${node.version}`, config: node.config }),
  wires,
  ...(frozen ? { frozen } : {}),
  ...(shares === null ? {} : { shares }),
  ...(Object.keys(axes).length === 0 ? {} : { axes }),
})

export const planJson = ({ name, inputs, sizes, nodes, outputs }: GraphPlan): GraphJson => ({
  name,
  inputs: portsJson(inputs),
  ...(Object.keys(sizes).length === 0 ? {} : { sizes }),
  nodes: nodes.map(nodeJson),
  outputs: outputs.single ? outputs.wires[0]![1] : Object.fromEntries(outputs.wires),
})

/** The graph as plain JSON data; `canonicalJson` of it is the graph file. */
export const encodeGraph = (graph: Graph): GraphJson => graph.config as GraphJson

/** With the nodes in an order that adding them in another does not change. */
export const byName = (json: GraphJson): GraphJson => ({
  ...json,
  nodes: [...json.nodes]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((node) => (node.graph === undefined ? node : { ...node, graph: byName(node.graph) })),
})

/**
 * SHA-256 of what the graph computes, as it is written: it depends on every name, type, version, config, wire and
 * option, and neither on the order of keys nor on the order in which nodes were added.
 */
export const graphHash = (graph: Graph): string => jsonHash(byName(encodeGraph(graph)))
