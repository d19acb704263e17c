/** The graph of a run, decoded from its folder: its configs are those of the run, whatever the module says today. */
import { BadData, damageText, decodeGraph, type Graph, type Registry, type RunFacts } from "@millrace/core"
import { Effect, Option } from "effect"
import { type Ended, invalid, usage } from "./exit.js"
import { knownTypes } from "./knownTypes.js"
import { loadGraph } from "./loadGraph.js"

/** The module that the run's graph came from has its node types; where it has none, modules that are given and the built-in graphs. */
const typesOf = ({ origin }: RunFacts, modules: ReadonlyArray<string>): Effect.Effect<Registry, Ended> =>
  Effect.gen(function* () {
    if (origin === null || modules.length > 0) return yield* knownTypes(modules)
    return (yield* loadGraph(origin.graph, Option.none())).registry ?? (yield* knownTypes([]))
  })

/**
 * @param modules  paths of modules that export node types as `registry`, in place of the one that the run says it is of
 * @fails Ended  2: no such module, or a run without its graph; 3: a graph with other node types
 */
export const graphOfRun = (run: RunFacts, modules: ReadonlyArray<string>): Effect.Effect<Graph, Ended> =>
  Effect.gen(function* () {
    if (run.nodes === undefined) {
      return yield* usage(
        new BadData({
          where: run.path,
          expected: "the graph of the run",
          received: run.damage.map(damageText).join("\n"),
          fix: "take graph.json from where the run was made, or run the graph again",
        }),
      )
    }
    return yield* decodeGraph(run.nodes, yield* typesOf(run, modules)).pipe(Effect.mapError(invalid))
  })
