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

type Found = ReadonlyArray<readonly [place: string, node: TensorNode]>

const inside = (graph: Graph, prefix: string): Found =>
  graph.nodes.flatMap(({ name, node }): Found => {
    const place = `${prefix}${name}`
    if (isGraph(node)) return inside(node, `${place}.`)
    return node.level === "tensor" ? [[place, node]] : []
  })

const inStages = (graph: Graph, sizes: Sizes): Found =>
  outlinesOf(graph, sizes).flatMap(({ stage, functions }) =>
    Object.entries(functions()).flatMap(([name, subject]): Found => {
      const objective = subject().objective?.graph
      return objective === undefined ? [] : inside(objective, `${stage}.${name}.`)
    }),
  )

const merged = (found: Found): ReadonlyArray<Placed> => {
  const byKind = new Map<string, { readonly node: TensorNode; readonly places: Array<string> }>()
  for (const [place, node] of found) {
    const kind = `${node.type}@${node.version} ${canonicalJson(node.config)}`
    const known = byKind.get(kind)
    if (known === undefined) byKind.set(kind, { node, places: [place] })
    else known.places.push(place)
  }
  return [...byKind.values()]
}

/**
 * Every tensor node of the graph.
 * @param sizes  sizes that no stage tells
 * @fails Ended  2: a stage cannot tell what it runs for want of a size
 */
export const lawsTarget = (graph: Graph, sizes: Sizes): Effect.Effect<ReadonlyArray<Placed>, Ended> =>
  Effect.try({
    try: () => merged(graph.level === "stage" ? inStages(graph, sizes) : inside(graph, "")),
    catch: (error) => (isFailure(error) ? usage(error) : failed(error)),
  })
