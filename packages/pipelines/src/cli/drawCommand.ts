/** `millrace draw`: a graph as a picture, or as the text of one. */
import { toMermaid, toSvg } from "@millrace/core"
import { Effect, type Option } from "effect"
import type { Ended } from "./exit.js"
import { loadGraph } from "./loadGraph.js"
import { print } from "./print.js"

export interface DrawArguments {
  readonly graph: string
  readonly preset: Option.Option<string>
  readonly format: "svg" | "mermaid"
}

/** @fails Ended  2 usage, 3 graph invalid */
export const drawCommand = ({ graph, preset, format }: DrawArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const loaded = yield* loadGraph(graph, preset)
    yield* print(format === "svg" ? toSvg(loaded.graph) : toMermaid(loaded.graph))
  })
