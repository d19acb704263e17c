/** The laws of a run's nodes, as its crate tells them. */
import { type Graph, graphHash, isFailure, keyFromSeed, messageOf, showNumber } from "@millrace/core"
import type { CheckedLaws } from "@millrace/core/crate"
import { Effect } from "effect"
import type { Ended } from "./exit.js"
import { mergedNodes, type NodesFound, nodesInStages, nodesInside } from "./lawsTarget.js"
import { seedOf } from "./seed.js"
import { lawKit, tryLaws } from "./tryLaws.js"

/** The most examples of each law. */
export const crateRuns = 10

/**
 * Arithmetic of one call: with more, fewer examples are tried, and beyond the second none. Arithmetic and no clock decides how
 * many, so that the same run gives the same crate. Plain tfjs, on which laws run, does 1e8 in about a second.
 */
const [forAll, forAny] = [2e6, 1e8]

/** How many examples of its laws a node gets, by the arithmetic of one call. */
export const examplesFor = (flops: number): number =>
  flops > forAny ? 0 : Math.max(1, Math.min(crateRuns, Math.floor((crateRuns * forAll) / flops)))

/** What laws of a run are drawn from: its own seed where that is one of theirs, else 31 bits of it. */
export const lawSeedOf = (seed: string): number =>
  /^\d{1,9}$/.test(seed) ? Number(seed) : keyFromSeed(seedOf(seed)).lo >>> 1

/**
 * The laws of the tensor nodes that the graph's stages tell of, tried on a few examples.
 * @param seed  the run's
 * @fails Ended  3: the laws of a node cannot be made
 */
export const crateLaws = (graph: Graph, seed: string): Effect.Effect<CheckedLaws, Ended> =>
  Effect.gen(function* () {
    const without: Array<{ readonly place: string; readonly reason: string }> = []
    const found: NodesFound =
      graph.level === "stage"
        ? nodesInStages(graph, {}, (stage, error) => {
            if (!isFailure(error)) throw error
            without.push({ place: stage, reason: messageOf(error).split("\n").slice(0, 2).join(" ") })
          })
        : nodesInside(graph, "")
    const { arithmeticOf } = yield* lawKit
    const options = { seed: lawSeedOf(seed), runs: crateRuns }
    const rows = yield* tryLaws(mergedNodes(found), (subject, place) => {
      const flops = arithmeticOf(subject)
      const runs = examplesFor(flops)
      if (runs > 0) return { ...options, runs }
      const reason = `${showNumber(flops)} FLOP a call are too many to try here; millrace laws --node ${place} tries them`
      without.push({ place, reason })
      return null
    })
    const laws = rows.map(({ places, ...row }) => ({ ...row, places: [places[0]!, ...places.slice(1)] as const }))
    return {
      graph: graph.name,
      hash: graphHash(graph),
      ...options,
      laws,
      ...(without.length === 0 ? {} : { without }),
    }
  })
