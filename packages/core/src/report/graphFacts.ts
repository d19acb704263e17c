/** What a report tells of a graph: its picture, and of every node what its events do not say. */
import { type Picture, pictureOf } from "../graph/draw/picture.js"
import { graphHashOfJson, pictureOfJson } from "../graph/draw/pictureOfJson.js"
import { type GraphJson, graphHash } from "../graph/encode.js"
import { type Graph, isGraph } from "../graph/parts.js"
import { type Port, showPort } from "../port.js"

export interface NodeFacts {
  /** `type@version` */
  readonly type: string
  /** The paper and section that it follows, where the node is known and follows one. */
  readonly source?: string
  readonly config: unknown
  /** In-port -> where its value is made, and what it is if the node is known. */
  readonly inputs: Readonly<Record<string, { readonly from: string; readonly what?: string }>>
}

/** Programs of a tensor function, counted: kernels of one kind. */
export interface KernelCount {
  readonly kernel: string
  readonly count: number
  /** Arithmetic of matrix products and convolutions. */
  readonly flops: number
}

/** A tensor function that a stage calls. */
export interface FunctionFacts {
  readonly name: string
  /** The graph that its objective was made of. */
  readonly graph?: GraphFacts
  /** Of the captured program, the most arithmetic first. */
  readonly kernels?: ReadonlyArray<KernelCount>
}

export interface GraphFacts {
  readonly name: string
  readonly hash: string
  readonly picture: Picture
  /** By path: `outer.inner`. */
  readonly nodes: ReadonlyMap<string, NodeFacts>
  /** What each stage calls, by the stage's path, the most important first. */
  readonly functions?: ReadonlyMap<string, ReadonlyArray<FunctionFacts>>
}

const what = (port: Port): string => (port.dtype === "artifact" ? port.unit : showPort(port))

const nodesOf = (graph: Graph, prefix: string): ReadonlyArray<readonly [string, NodeFacts]> =>
  graph.nodes.flatMap(({ name, node, wires, in: needs }) => {
    if (isGraph(node)) return nodesOf(node, `${prefix}${name}.`)
    const inputs = Object.entries(wires).map(([port, from]) => {
      const need = needs[port]
      return [port, { from, ...(need !== undefined && { what: what(need) }) }] as const
    })
    const facts = {
      type: `${node.type}@${node.version}`,
      ...(node.source !== undefined && { source: node.source }),
      config: node.config,
      inputs: Object.fromEntries(inputs),
    }
    return [[`${prefix}${name}`, facts] as const]
  })

export const graphFacts = (graph: Graph): GraphFacts => ({
  name: graph.name,
  hash: graphHash(graph),
  picture: pictureOf(graph),
  nodes: new Map(nodesOf(graph, "")),
})

const jsonNodes = (json: GraphJson, prefix: string): ReadonlyArray<readonly [string, NodeFacts]> =>
  json.nodes.flatMap(({ name, node = "", config, graph, wires }) => {
    if (graph !== undefined) return jsonNodes(graph, `${prefix}${name}.`)
    const inputs = Object.fromEntries(Object.entries(wires).map(([port, from]) => [port, { from }] as const))
    return [[`${prefix}${name}`, { type: node, config, inputs }] as const]
  })

/** The facts that a graph file alone can tell. */
export const graphFactsOfJson = (json: GraphJson): GraphFacts => ({
  name: json.name,
  hash: graphHashOfJson(json),
  picture: pictureOfJson(json),
  nodes: new Map(jsonNodes(json, "")),
})
