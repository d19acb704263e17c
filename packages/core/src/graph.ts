/**
 * Graphs: nodes and the wires between them, checked while you type.
 *
 *   const dalle = graph("dalle", { caption: tensor("int32", "b t", "token") })
 *     .node("codes",  sample, { prompt: "caption" })
 *     .node("images", decode, { codes: "codes" })      // { codes: "caption" } does not compile:
 *     .output("images")                                //   "needs int32 [b s] code - no wire carries it"
 *
 * A wire is the name of a graph input, of a node with one output, or `node.port` of a node with several. A graph is
 * itself a node, so graphs nest; tensor nodes and stage nodes are wired alike, but never in one graph.
 */
import type { AxisNames } from "./axes.js"
import { assemble } from "./graph/assemble.js"
import type { Graph, NodePorts } from "./graph/parts.js"
import { type NodePlan, type OutputName, planOutputs } from "./graph/plan.js"
import type { AxesOf, Renamed, RenamedOutputs, WrongNames } from "./graph/rename.js"
import type { Node, Outputs } from "./node.js"
import type { Port, Ports } from "./port.js"

export {
  type Graph,
  type GraphNode,
  isGraph,
  type NodePorts,
  type StageGraph,
  type TensorGraph,
} from "./graph/parts.js"

/** The own ports of the nodes of a graph, axes not renamed: `NodePortsOf<typeof dalle>["images"]["out"]`. */
export type NodePortsOf<G> = G extends { readonly nodePorts?: infer Nodes } ? NonNullable<Nodes> : never

export interface NodeOptions<Name extends string = string, Axes extends AxisNames = AxisNames> {
  /** The node's parameters get no gradient and are never updated. */
  readonly frozen?: boolean
  /** Use the parameters of that node, which has the same type and config. */
  readonly shares?: Name
  /**
   * What this graph calls the node's axes. Axes of one name have one size, so a node that is used twice, with two
   * batches, needs another name in one of its places: `{ axes: { b: "n" } }`. No two axes of a node get one name.
   */
  readonly axes?: Axes
}

export interface GraphOptions {
  /** Sizes of axes of the inputs: `{ b: 8, t: 128 }`. */
  readonly sizes?: Readonly<Record<string, number>>
}

// --- what the compiler knows of a graph under construction: Env is every wire with its port

type Show<P extends Port> =
  P extends Port<infer D, infer A, infer U>
    ? D extends "artifact"
      ? `artifact ${U}`
      : `${D} [${A}]${U extends "" ? "" : ` ${U}`}`
    : never

// A port whose axes are only known at run time (a decoded graph) fits anything here and is checked when built.
type Fits<Have, Need extends Port> = Have extends Port
  ? string extends Need["axes"] | Have["axes"]
    ? true
    : Have extends { readonly dtype: Need["dtype"]; readonly axes: Need["axes"]; readonly unit: Need["unit"] }
      ? true
      : false
  : false

/** The wires that fit a port, or the reason why there is none: nothing carries it, or the node's axes are named `Wrong`. */
// `infer` and not a named type: the compiler's messages then list the wires, and not the name with all of Env.
export type Wire<Env, Need extends Port, Wrong extends string = never> = [Wrong] extends [never]
  ? { [W in keyof Env & string]: Fits<Env[W], Need> extends true ? W : never }[keyof Env &
      string] extends infer Carriers extends string
    ? [Carriers] extends [never]
      ? `needs ${Show<Need>} - no wire carries it`
      : Carriers
    : never
  : Wrong

type WiresOf<K extends string, Out extends Outputs> = Outputs extends Out
  ? { readonly [_ in K | `${K}.${string}`]: Port }
  : Out extends Port
    ? { readonly [_ in K]: Out }
    : { readonly [P in keyof Out & string as `${K}.${P}`]: Out[P] }

type NewName<K extends string, Taken> = string extends Taken
  ? K
  : K extends Taken
    ? `${K} is taken - give the node a new name`
    : K extends `${string}.${string}`
      ? `${K} has a dot - dots separate a node from its port`
      : K

type Last<W extends string> = W extends `${string}.${infer P}` ? P : W

type OutOf<Env, First, Rest> = First extends string
  ? Rest extends readonly []
    ? Env[First & keyof Env]
    : Rest extends ReadonlyArray<infer W extends string>
      ? { readonly [K in First | W as Last<K>]: K extends keyof Env ? Env[K] : never }
      : never
  : { readonly [K in keyof First]: First[K] extends keyof Env ? Env[First[K]] : never }

type AsOutputs<T> = T extends Outputs ? T : never

/** A graph under construction. Every method gives a new one, so a beginning can be continued twice. */
export interface GraphBuilder<In extends Ports, Env, Nodes extends NodePorts> {
  /**
   * Adds a node.
   * @param name   new in this graph, without dots
   * @param wires  in-port -> wire
   */
  node<
    const K extends string,
    NodeIn extends Ports,
    NodeOut extends Outputs,
    const Axes extends AxisNames = Record<never, never>,
  >(
    name: NewName<K, keyof Nodes | keyof In>,
    node: Node<NodeIn, NodeOut>,
    wires: {
      readonly [P in keyof NodeIn]: Wire<Env, Renamed<NodeIn[P], Axes>, WrongNames<Axes, AxesOf<NodeIn, NodeOut>>>
    },
    options?: NodeOptions<keyof Nodes & string, Axes>,
  ): GraphBuilder<
    In,
    Env & WiresOf<K, RenamedOutputs<NodeOut, Axes>>,
    Nodes & { readonly [_ in K]: { readonly in: NodeIn; readonly out: NodeOut } }
  >
  /**
   * Ends the graph and checks it: `.output("loss")` gives one value under the graph's own name, `.output("a", "b")` and
   * `.output({ images: "decoded" })` several, under `graph.a`.
   * @throws ShapeMismatch  every dtype, unit and axis size that does not fit, at once
   * @throws UnknownWire, DuplicateNode, Cycle, BadConfig  where types were bypassed, or levels or shared nodes do not fit
   */
  output<
    const First extends (keyof Env & string) | Readonly<Record<string, keyof Env & string>>,
    const Rest extends [First] extends [string] ? ReadonlyArray<keyof Env & string> : readonly [],
  >(first: First, ...rest: Rest): Graph<In, AsOutputs<OutOf<Env, First, Rest>>, Nodes>
}

const builder = <In extends Ports, Env, Nodes extends NodePorts>(
  name: string,
  inputs: In,
  sizes: Readonly<Record<string, number>>,
  nodes: ReadonlyArray<NodePlan>,
): GraphBuilder<In, Env, Nodes> => ({
  node: (nodeName, node, wires, { frozen = false, shares = null, axes = {} } = {}) =>
    builder(name, inputs, sizes, [...nodes, { name: nodeName, node, wires, frozen, shares, axes }]),
  output: <const First extends OutputName, const Rest extends ReadonlyArray<OutputName>>(first: First, ...rest: Rest) =>
    assemble({ name, inputs, sizes, nodes, outputs: planOutputs([first, ...rest]) }) as Graph<
      In,
      AsOutputs<OutOf<Env, First, Rest>>,
      Nodes
    >,
})

/** Begins a graph with its inputs. */
export const graph = <const In extends Ports>(
  name: string,
  inputs: In,
  options: GraphOptions = {},
): GraphBuilder<In, In, Record<never, never>> => builder(name, inputs, options.sizes ?? {}, [])
