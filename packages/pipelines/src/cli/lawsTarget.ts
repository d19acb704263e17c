/** The tensor nodes of a graph: its own, those of graphs inside it, and those of the objectives that its stages run. */
import { canonicalJson, type Graph, isFailure, isGraph, outlinesOf, type Sizes, type TensorNode } from "@millrace/core"
import { Effect } from "effect"
import { type Ended, failed, usage } from "./exit.js"

/** A node, once for all places in which it stands with the same config. */
export interface Placed {
  readonly node: TensorNode
  /** `outer.inner`; in a graph of stages `stage.function.node`. */
  readonly places: ReadonlyArray<string>
}

export type NodesFound = ReadonlyArray<readonly [place: string, node: TensorNode]>

/** The tensor nodes of a graph of tensors and of the graphs inside it. */
export const nodesInside = (graph: Graph, prefix: string): NodesFound =>
  graph.nodes.flatMap(({ name, node }): NodesFound => {
    const place = `${prefix}${name}`
    if (isGraph(node)) return nodesInside(node, `${place}.`)
    return node.level === "tensor" ? [[place, node]] : []
  })

/**
 * The tensor nodes of the objectives that stages run.
 * @param fails  called where a stage cannot tell: it may throw
 */
export const nodesInStages = (graph: Graph, sizes: Sizes, fails: (stage: string, error: unknown) => void): NodesFound =>
  outlinesOf(graph, sizes).flatMap(({ stage, functions }): NodesFound => {
    try {
      return Object.entries(functions()).flatMap(([name, subject]): NodesFound => {
        const objective = subject().objective?.graph
        return objective === undefined ? [] : nodesInside(objective, `${stage}.${name}.`)
      })
    } catch (error) {
      fails(stage, error)
      return []
    }
  })

/** Each node once for all its places. */
export const mergedNodes = (found: NodesFound): ReadonlyArray<Placed> => {
  const byKind = new Map<string, { readonly node: TensorNode; readonly places: Array<string> }>()
  for (const [place, node] of found) {
    const kind = `${node.type}@${node.version} ${canonicalJson(node.config)}`
    const known = byKind.get(kind)
    if (known === undefined) byKind.set(kind, { node, places: [place] })
    else known.places.push(place)
  }
  return [...byKind.values()]
}

const raise = (_: string, error: unknown): never => {
  throw error
}

/**
 * Every tensor node of the graph.
 * @param sizes  sizes that no stage tells
 * @fails Ended  2: a stage cannot tell what it runs for want of a size
 */
export const lawsTarget = (graph: Graph, sizes: Sizes): Effect.Effect<ReadonlyArray<Placed>, Ended> =>
  Effect.try({
    try: () => mergedNodes(graph.level === "stage" ? nodesInStages(graph, sizes, raise) : nodesInside(graph, "")),
    catch: (error) => (isFailure(error) ? usage(error) : failed(error)),
  })
