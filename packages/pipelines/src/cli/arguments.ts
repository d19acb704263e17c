/** What several commands take: a graph, and settings of its nodes. */
import { Argument, Flag } from "effect/cli"
import { builtIn } from "./builtIn.js"

export const graph = Argument.String("graph").pipe(
  Argument.withDescription(
    `A built-in graph (${Object.keys(builtIn).join(", ")}) or the path of a module whose default export is one`,
  ),
)

export const preset = Flag.String("preset").pipe(
  Flag.withDescription(
    "One of the sizes that the graph's module names: tiny, small, paper; without it its default export",
  ),
  Flag.optional,
)

export const set = Flag.String("set").pipe(
  Flag.withMetavar("node.key=value"),
  Flag.withDescription("A value in the config of a node; may be given several times"),
  Flag.atLeast(0),
)
