/** `millrace draw`: a graph as a picture, or as the text of one. */
import { toMermaid, toSvg } from "@millrace/core"
import { Effect } from "effect"
import type { Ended } from "./exit.js"
import { loadGraph } from "./loadGraph.js"
import { print } from "./print.js"

export interface DrawArguments {
  readonly graph: string
  readonly format: "svg" | "mermaid"
}

/** @fails Ended  2 usage, 3 graph invalid */
export const drawCommand = ({ graph, format }: DrawArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const loaded = yield* loadGraph(graph)
    yield* print(format === "svg" ? toSvg(loaded.graph) : toMermaid(loaded.graph))
  })
