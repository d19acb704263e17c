/** Objectives: a tensor graph as a pure function of its parameters, by flat names, and its inputs. */
import type * as tf from "@tensorflow/tfjs-core"
import type { Tensors } from "./engine.js"
import { BadConfig } from "./errors.js"
import { type Graph, isGraph, type TensorGraph } from "./graph.js"
import { isParamSpec, isPort, type ParamSpec } from "./node.js"
import { flatten, mapTree } from "./tree.js"

/** What training and scoring need to know of a tensor graph. */
export interface Objective {
  readonly name: string
  /** Every parameter by its flat name. */
  readonly paramSpecs: Readonly<Record<string, ParamSpec>>
  /** The names of those that learn. */
  readonly trainable: ReadonlyArray<string>
  /** Outputs by name; `loss` is what is minimised, all others are reported. */
  readonly apply: (params: Tensors, inputs: Tensors) => Tensors
  /** The graph that it was made of. */
  readonly graph?: TensorGraph
}

/** Flat names of the parameters that never learn or of which every use is frozen. `above` says that the whole graph is. */
const frozenUnder = (graph: Graph, prefix: string, above: boolean): ReadonlyArray<string> =>
  graph.nodes.flatMap(({ name, node, shares }) => {
    if (node.level !== "tensor" || shares !== null) return []
    // Parameters of a frozen node learn all the same where a node that is not frozen shares them.
    const learns = graph.nodes.some((use) => (use.name === name || use.shares === name) && !use.frozen)
    const frozen = above || !learns
    if (isGraph(node)) return frozenUnder(node, `${prefix}${name}.`, frozen)
    return Object.entries(flatten<ParamSpec>(node.params, isParamSpec)).flatMap(([path, spec]) =>
      frozen || spec.learns === false ? [join(`${prefix}${name}`, path)] : [],
    )
  })

const join = (name: string, path: string): string => (path === "" ? name : `${name}.${path}`)

/** The flat names of the parameters that get no gradient, from the graph alone. */
export const frozenParams = (graph: Graph): ReadonlyArray<string> => frozenUnder(graph, "", false)

/**
 * The objective that a tensor graph is. A parameter's flat name is `node.path`; nodes that share parameters have them
 * once, under the owner's name; a nested graph's come under its own node's name.
 * @throws BadConfig  for a graph of stages
 */
export const objectiveOf = (graph: Graph): Objective => {
  if (graph.level !== "tensor") {
    throw new BadConfig({
      where: graph.name,
      expected: "a graph of tensor nodes",
      received: "a graph of stage nodes",
      fix: "run a stage graph; only tensor graphs can be differentiated",
    })
  }
  const paramSpecs = flatten(graph.params, isParamSpec)
  const frozen = new Set(frozenParams(graph))
  const single = isPort(graph.out) ? Object.keys(graph.outputs)[0]! : null
  return {
    name: graph.name,
    graph,
    paramSpecs,
    trainable: Object.keys(paramSpecs).filter((name) => !frozen.has(name)),
    apply: (params, inputs) => {
      const tree = mapTree(graph.params, isParamSpec, (path) => given(graph.name, params, path))
      const result = graph.apply(tree, inputs)
      return (single === null ? result : { [single]: result }) as Tensors
    },
  }
}

const given = (where: string, params: Tensors, path: string): tf.Tensor => {
  const tensor = params[path]
  if (tensor !== undefined) return tensor
  throw new BadConfig({
    where,
    expected: `the parameter ${path}`,
    received: `parameters ${Object.keys(params).slice(0, 5).join(", ")}${Object.keys(params).length > 5 ? ", …" : ""}`,
    fix: "start from initParams(objective.paramSpecs, key), or from weights of the same graph",
  })
}
