import type { DataSet, RunRecord } from "@millrace/core/crate"
import { BadData, type Graph, isGraph, type StageNode } from "@millrace/core/definitions"
import { Effect } from "effect"

/** The stage at a path, `outer.inner`. */
const stageAt = (graph: Graph, path: string): StageNode | undefined => {
  for (const { name, node } of graph.nodes) {
    if (isGraph(node) && path.startsWith(`${name}.`)) return stageAt(node, path.slice(name.length + 1))
    if (name === path && !isGraph(node) && node.level === "stage") return node
  }
  return undefined
}

/**
 * The data sets of a run with their files, as their stages find them on this machine.
 * @fails BadData  a stage does not tell of its files, or they are not here
 */
export const withData = (
  { graph }: RunRecord,
  dataSets: ReadonlyArray<DataSet>,
): Effect.Effect<ReadonlyArray<DataSet>, BadData> =>
  Effect.forEach(dataSets, (data) => {
    if (data.whole === true) return Effect.succeed(data)
    const node = stageAt(graph, data.stage)
    return node?.data === undefined
      ? new BadData({
          where: data.stage,
          expected: "a stage that tells of the files that it reads",
          received: node === undefined ? "no such stage" : `${node.type}@${node.version}, which does not`,
          fix: "name the folder that they are in: --with-data=folder",
        })
      : Effect.map(node.data(), (files): DataSet => ({ ...data, files }))
  })
