/** A graph as text: what `millrace describe` prints. */
import {
  type Graph,
  graphHash,
  isGraph,
  isPort,
  type Outputs,
  printable,
  showPort,
  textTable,
} from "@millrace/core/definitions"

const portsText = (out: Outputs): string =>
  isPort(out)
    ? showPort(out)
    : Object.entries(out)
        .map(([name, port]) => `${name}: ${showPort(port)}`)
        .join(", ")

const wiresText = (wires: Readonly<Record<string, string>>): string =>
  Object.entries(wires)
    .map(([port, wire]) => (port === wire ? port : `${port} ← ${wire}`))
    .join(", ")

const rowsOf = (graph: Graph, indent = ""): ReadonlyArray<ReadonlyArray<string>> =>
  graph.nodes.flatMap(({ name, node, wires, frozen }) => [
    [
      indent + name,
      `${isGraph(node) ? `graph ${node.name}` : `${node.type}@${node.version}`}${frozen ? ", frozen" : ""}`,
      wiresText(wires),
      portsText(node.out),
    ],
    ...(isGraph(node) ? rowsOf(node, `${indent}  `) : []),
  ])

const configsOf = (graph: Graph, prefix = ""): ReadonlyArray<string> =>
  graph.nodes.flatMap(({ name, node }) =>
    isGraph(node)
      ? configsOf(node, `${prefix}${name}.`)
      : Object.entries(typeof node.config === "object" && node.config !== null ? node.config : {}).map(
          ([key, value]) => `  ${prefix}${name}.${key}=${shorten(JSON.stringify(value) ?? "")}`,
        ),
  )

const shorten = (text: string): string => (text.length > 100 ? `${text.slice(0, 99)}…` : text)

export const describeGraph = (graph: Graph): string => {
  const configs = configsOf(graph)
  const sources = [...new Set(graph.nodes.flatMap(({ node }) => node.source ?? []))]
  return [
    `${printable(graph.name)}  ${graph.level} graph, ${graph.nodes.length} nodes, hash ${graphHash(graph).slice(0, 12)}`,
    ...Object.entries(graph.inputs).map(([name, port]) => `  input  ${name}: ${showPort(port)}`),
    ...Object.entries(graph.outputs).map(([name, wire]) => `  output ${name === wire ? name : `${name} ← ${wire}`}`),
    "",
    textTable({ title: "Nodes", columns: ["name", "type", "wires", "gives"], rows: rowsOf(graph) }),
    ...(configs.length === 0 ? [] : ["", "Settings (--set)", ...configs.map(printable)]),
    ...(sources.length === 0 ? [] : ["", "Sources", ...sources.map((source) => `  ${printable(source)}`)]),
    "",
  ].join("\n")
}
