/** A graph as data: what `millrace describe --json` prints. */
import { type Graph, graphHash, isGraph, isPort, type Outputs, type Ports, showPort } from "@millrace/core/definitions"

const portsJson = (ports: Ports): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, showPort(port)]))

/** One output is its type alone, several are by name. */
const outputsJson = (out: Outputs) => (isPort(out) ? showPort(out) : portsJson(out))

interface NodeJson {
  readonly name: string
  /** `type@version`; of a graph its name is in `graph`, with what is inside it in `nodes`. */
  readonly node?: string
  readonly graph?: string
  readonly frozen: boolean
  /** Port -> what it is wired to. */
  readonly wires: Readonly<Record<string, string>>
  readonly gives: string | Readonly<Record<string, string>>
  readonly config?: unknown
  readonly source?: string
  readonly nodes?: ReadonlyArray<NodeJson>
}

const nodesJson = (graph: Graph): ReadonlyArray<NodeJson> =>
  graph.nodes.map(({ name, node, wires, frozen }) => ({
    name,
    ...(isGraph(node) ? { graph: node.name } : { node: `${node.type}@${node.version}` }),
    frozen: frozen === true,
    wires,
    gives: outputsJson(node.out),
    ...(isGraph(node)
      ? { nodes: nodesJson(node) }
      : { config: node.config, ...(node.source === undefined ? {} : { source: node.source }) }),
  }))

export const describeJson = (graph: Graph) => ({
  name: graph.name,
  level: graph.level,
  hash: graphHash(graph),
  inputs: portsJson(graph.inputs),
  outputs: graph.outputs,
  nodes: nodesJson(graph),
})
