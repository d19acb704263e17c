/** The laws of a run's nodes, as its crate tells them. */
import { type Graph, graphHash, isFailure, keyFromSeed, messageOf } from "@millrace/core"
import type { CheckedLaws } from "@millrace/core/crate"
import { Effect } from "effect"
import type { Ended } from "./exit.js"
import { mergedNodes, type NodesFound, nodesInStages, nodesInside } from "./lawsTarget.js"
import { seedOf } from "./seed.js"
import { tryLaws } from "./tryLaws.js"

/** Examples of each law: a number, and no time, decides how many, so that the same run gives the same crate. */
export const crateRuns = 10

/** What laws of a run are drawn from: its own seed where that is one of theirs, else 31 bits of it. */
export const lawSeedOf = (seed: string): number =>
  /^\d{1,9}$/.test(seed) ? Number(seed) : keyFromSeed(seedOf(seed)).lo >>> 1

/**
 * Every law of every tensor node that the graph's stages tell of, tried on a few examples.
 * @param seed  the run's
 * @fails Ended  3: the laws of a node cannot be made
 */
export const crateLaws = (graph: Graph, seed: string): Effect.Effect<CheckedLaws, Ended> =>
  Effect.gen(function* () {
    const without: Array<{ readonly stage: string; readonly reason: string }> = []
    const found: NodesFound =
      graph.level === "stage"
        ? nodesInStages(graph, {}, (stage, error) => {
            if (!isFailure(error)) throw error
            without.push({ stage, reason: messageOf(error).split("\n").slice(0, 2).join(" ") })
          })
        : nodesInside(graph, "")
    const options = { seed: lawSeedOf(seed), runs: crateRuns }
    const rows = yield* tryLaws(mergedNodes(found), options)
    const laws = rows.map(({ places, ...row }) => ({ ...row, places: [places[0]!, ...places.slice(1)] as const }))
    return {
      graph: graph.name,
      hash: graphHash(graph),
      ...options,
      laws,
      ...(without.length === 0 ? {} : { without }),
    }
  })
