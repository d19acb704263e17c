/** Graphs from untrusted JSON: every check of the builder again, node types from a registry, no code from the file. */
import { Effect } from "effect"
import { BadConfig, Cycle, DuplicateNode, ShapeMismatch, type UnknownNode, UnknownWire } from "../errors.js"
import type { Node } from "../node.js"
import type { Port } from "../port.js"
import type { Registry } from "../registry.js"
import { assemble } from "./assemble.js"
import { decodeConfig } from "./config.js"
import { GraphJson, type GraphNodeJson } from "./encode.js"
import type { Graph } from "./parts.js"
import { type GraphPlan, type NodePlan, planOutputs } from "./plan.js"

/** The most nodes that a graph file may have, nested ones included. Its depth is bounded by `MAX_DEPTH` of json.ts. */
export const MAX_NODES = 10_000

/** What can be wrong with a graph. */
export type GraphError = BadConfig | Cycle | DuplicateNode | ShapeMismatch | UnknownNode | UnknownWire

const isGraphError = (error: unknown): error is Exclude<GraphError, UnknownNode> =>
  [BadConfig, Cycle, DuplicateNode, ShapeMismatch, UnknownWire].some((type) => error instanceof type)

const countNodes = (json: GraphJson): number =>
  json.nodes.reduce((n, node) => n + 1 + (node.graph === undefined ? 0 : countNodes(node.graph)), 0)

/** A file says of an artifact's kind only its name; how its values become files is known to the nodes that take it. */
const withKind = (port: Port, input: string, nodes: ReadonlyArray<NodePlan>): Port => {
  if (port.dtype !== "artifact") return port
  for (const { node, wires } of nodes) {
    for (const [name, need] of Object.entries(node.in)) {
      if (wires[name] === input && need.unit === port.unit && need.kind !== undefined) return need
    }
  }
  return port
}

const decodeNode = (json: GraphNodeJson, registry: Registry, where: string): Effect.Effect<Node, GraphError> => {
  if ((json.node === undefined) === (json.graph === undefined) || (json.graph !== undefined && "config" in json)) {
    return Effect.fail(
      new BadConfig({
        where,
        expected: "either node and config, or graph",
        received: Object.keys(json).join(", "),
        fix: "name a type of the registry, or put a graph inline",
      }),
    )
  }
  if (json.graph !== undefined) return build(json.graph, registry, where)
  return Effect.flatMap(registry.find(json.node ?? "", where), (type) => type.decode(json.config, where))
}

const build = (json: GraphJson, registry: Registry, where: string): Effect.Effect<Graph, GraphError> =>
  Effect.gen(function* () {
    const nodes: Array<NodePlan> = []
    for (const node of json.nodes) {
      nodes.push({
        name: node.name,
        node: yield* decodeNode(node, registry, `${where} > ${node.name}`),
        wires: node.wires,
        frozen: node.frozen ?? false,
        shares: node.shares ?? null,
        axes: node.axes ?? {},
      })
    }
    const plan: GraphPlan = {
      name: json.name,
      inputs: Object.fromEntries(
        Object.entries(json.inputs).map(([name, port]) => [name, withKind(port, name, nodes)]),
      ),
      sizes: json.sizes ?? {},
      nodes,
      outputs: planOutputs([json.outputs]),
    }
    return yield* attemptGraph(() => assemble(plan))
  })

const attemptGraph = (run: () => Graph): Effect.Effect<Graph, GraphError> =>
  Effect.try({ try: run, catch: (error) => error }).pipe(
    Effect.catch((error) => (isGraphError(error) ? Effect.fail(error) : Effect.die(error))),
  )

/**
 * The graph that JSON data describes.
 * @fails  BadConfig      not a graph, a bad config, over 10,000 nodes or 64 levels, a refused key such as `__proto__`
 * @fails  UnknownNode    a type or version that the registry does not hold
 * @fails  UnknownWire, DuplicateNode, Cycle, ShapeMismatch  as the builder's `.output`
 */
export const decodeGraph = (json: unknown, registry: Registry): Effect.Effect<Graph, GraphError> =>
  Effect.gen(function* () {
    const checked = yield* Effect.fromResult(decodeConfig(GraphJson, json, "graph file"))
    const nodes = countNodes(checked)
    if (nodes > MAX_NODES) {
      return yield* new BadConfig({
        where: checked.name,
        expected: `at most ${MAX_NODES} nodes, nested ones included`,
        received: `${nodes} nodes`,
        fix: "split the graph",
      })
    }
    return yield* build(checked, registry, checked.name)
  })
