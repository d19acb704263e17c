/** Graphs from untrusted JSON: every check of the builder again, node types from a registry, no code from the file. */
import { Effect } from "effect"
import { BadConfig, Cycle, DuplicateNode, ShapeMismatch, UnknownNode, UnknownWire } from "../errors.js"
import type { Node } from "../node.js"
import type { Port } from "../port.js"
import type { Registry } from "../registry.js"
import { assemble } from "./assemble.js"
import { decodeConfig } from "./config.js"
import { GraphJson, type GraphNodeJson } from "./encode.js"
import { failureOf } from "./findings.js"
import type { Graph } from "./parts.js"
import { type NodePlan, planOutputs } from "./plan.js"

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

/** The failures of one file so far: those of all its nodes are told at once. */
type Failures = Array<BadConfig | UnknownNode>

/** A graph file whose nodes have been looked up: what is left is to put the graphs together, from the inside out. */
interface Opened {
  readonly json: GraphJson
  /** In the order of `json.nodes`. */
  readonly nodes: ReadonlyArray<Node | Opened | null>
}

const openNode = (
  json: GraphNodeJson,
  registry: Registry,
  where: string,
  failures: Failures,
): Effect.Effect<Node | Opened | null> => {
  if ((json.node === undefined) === (json.graph === undefined) || (json.graph !== undefined && "config" in json)) {
    const error = new BadConfig({
      where,
      expected: "either node and config, or graph",
      received: Object.keys(json).join(", "),
      fix: "name a type of the registry, or put a graph inline",
    })
    failures.push(error)
    return Effect.succeed(null)
  }
  if (json.graph !== undefined) return open(json.graph, registry, where, failures)
  return registry.find(json.node ?? "", where).pipe(
    Effect.flatMap((type) => type.decode(json.config, where)),
    Effect.catch((error: BadConfig | UnknownNode) => {
      failures.push(error)
      return Effect.succeed(null)
    }),
  )
}

const open = (json: GraphJson, registry: Registry, where: string, failures: Failures): Effect.Effect<Opened> =>
  Effect.map(
    Effect.forEach(json.nodes, (node) => openNode(node, registry, `${where} > ${node.name}`, failures)),
    (nodes) => ({ json, nodes }),
  )

/** One error for all failures: an unknown type before a bad config, for its remedy may be another registry. */
const together = (name: string, failures: Failures): BadConfig | UnknownNode => {
  const [first] = failures
  if (first !== undefined && failures.length === 1) return first
  const found = failures.map(({ where, expected, received, fix }) => ({
    at: where.slice(name.length + 3),
    expected,
    received,
    fix,
  }))
  const Kind = failures.some((error) => error instanceof UnknownNode) ? UnknownNode : BadConfig
  return new Kind(failureOf(name, found))
}

const isOpened = (node: Node | Opened): node is Opened => "json" in node

/** @throws DuplicateNode, UnknownWire, Cycle, BadConfig, ShapeMismatch */
const build = ({ json, nodes: opened }: Opened): Graph => {
  const nodes = json.nodes.flatMap(({ name, wires, frozen = false, shares = null, axes = {} }, i): Array<NodePlan> => {
    const node = opened[i] ?? null
    return node === null ? [] : [{ name, node: isOpened(node) ? build(node) : node, wires, frozen, shares, axes }]
  })
  return assemble({
    name: json.name,
    inputs: Object.fromEntries(Object.entries(json.inputs).map(([name, port]) => [name, withKind(port, name, nodes)])),
    sizes: json.sizes ?? {},
    nodes,
    outputs: planOutputs([json.outputs]),
  })
}

const attemptGraph = (run: () => Graph): Effect.Effect<Graph, GraphError> =>
  Effect.try({ try: run, catch: (error) => error }).pipe(
    Effect.catch((error) => (isGraphError(error) ? Effect.fail(error) : Effect.die(error))),
  )

/**
 * The graph that JSON data describes.
 * What is wrong with its nodes' types and configs is told at once.
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
    const failures: Failures = []
    const opened = yield* open(checked, registry, checked.name, failures)
    if (failures.length > 0) return yield* together(checked.name, failures)
    return yield* attemptGraph(() => build(opened))
  })
