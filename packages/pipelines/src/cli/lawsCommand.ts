/** `millrace laws`: whether the nodes of a graph do what their ports, and their papers, say. */
import { BadConfig, didYouMean, type Graph, graphHash, LawBroken } from "@millrace/core"
import { Effect, Option } from "effect"
import { type Ended, failed, usage } from "./exit.js"
import { lawsTarget, type Placed } from "./lawsTarget.js"
import { type LawRow, lawsText } from "./lawsText.js"
import { loadGraph } from "./loadGraph.js"
import { withSettings } from "./settings.js"
import { sizesOf } from "./sizes.js"
import { lawKit, tryLaws } from "./tryLaws.js"

export interface LawsArguments {
  readonly graph: string
  readonly preset: Option.Option<string>
  readonly set: ReadonlyArray<string>
  readonly node: ReadonlyArray<string>
  readonly size: ReadonlyArray<string>
  readonly seed: number
  readonly runs: number
  readonly seconds: number
  readonly json: boolean
}

const named = (place: string, name: string): boolean => place === name || place.endsWith(`.${name}`)

/** The nodes that were asked for, or all. */
const chosen = (
  graph: Graph,
  all: ReadonlyArray<Placed>,
  names: ReadonlyArray<string>,
): Effect.Effect<ReadonlyArray<Placed>, Ended> =>
  Effect.gen(function* () {
    const places = all.flatMap((one) => one.places)
    const missing = names.find((name) => !places.some((place) => named(place, name)))
    if (missing !== undefined || all.length === 0) {
      return yield* usage(
        new BadConfig({
          where: graph.name,
          expected:
            missing === undefined
              ? "a graph with tensor nodes, or stages that tell which they run"
              : "the name of a tensor node",
          received: missing === undefined ? "none" : `--node ${missing}`,
          fix:
            missing === undefined
              ? "give a stage an outline, or name the graph of its objective"
              : didYouMean(missing, places),
        }),
      )
    }
    return names.length === 0
      ? all
      : all.filter((one) => names.some((name) => one.places.some((place) => named(place, name))))
  })

/** The command that tries the same examples again, on the nodes where a law is broken alone. */
const replayOf = (given: LawsArguments, broken: ReadonlyArray<LawRow>): string =>
  [
    `millrace laws ${given.graph}`,
    ...Option.match(given.preset, { onNone: () => [], onSome: (name) => [`--preset ${name}`] }),
    `--seed ${given.seed} --runs ${given.runs}`,
    ...new Set(broken.map(({ places }) => `--node ${places[0]}`)),
    ...given.set.map((setting) => `--set ${setting}`),
    ...given.size.map((size) => `--size ${size}`),
  ].join(" ")

const print = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stdout.write(`${text}\n`))

/** @fails Ended  1 a law is broken, 2 usage, 3 graph or laws invalid */
export const lawsCommand = (given: LawsArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const sizes = yield* sizesOf(given.size)
    const loaded = yield* loadGraph(given.graph, given.preset)
    const graph = yield* withSettings(loaded.graph, loaded.registry, given.set)
    const nodes = yield* chosen(graph, yield* lawsTarget(graph, sizes), given.node)
    const { seed, runs, seconds } = given
    const rows = yield* tryLaws(nodes, () => ({ seed, runs, seconds }))
    const broken = rows.filter(({ verdict }) => verdict === "broken")
    const replay = replayOf(given, broken)
    yield* print(
      given.json
        ? JSON.stringify(
            {
              graph: graph.name,
              hash: graphHash(graph),
              seed,
              runs,
              laws: rows,
              ...(broken.length === 0 ? {} : { replay }),
            },
            null,
            2,
          )
        : lawsText(graph.name, rows),
    )
    if (broken.length === 0) return
    const { showCounterexample } = yield* lawKit
    return yield* failed(
      new LawBroken({
        where: graph.name,
        expected: `${rows.length} laws of ${nodes.length} ${nodes.length === 1 ? "node" : "nodes"} to hold`,
        received: [
          `${broken.length} broken`,
          ...broken.flatMap(({ places, node, law, counterexample }) =>
            counterexample === null ? [] : [showCounterexample(`${places[0]} (${node}): ${law}`, counterexample)],
          ),
        ].join("\n"),
        fix: "mend the node, or, if it is not meant to obey the law, do not put it under it",
        replay,
      }),
    )
  })
