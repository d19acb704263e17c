/** What several commands take: a graph, and settings of its nodes. */
import { engineNames } from "@millrace/core/engine"
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

export const seed = Flag.String("seed").pipe(
  Flag.withDefault("0"),
  Flag.withDescription("What all randomness comes from: a whole number or a text"),
)

export const withEngine = Flag.Literals("engine", engineNames).pipe(
  Flag.withDefault("onnx" as const),
  Flag.withDescription("What runs the tensors; `millrace engines` tells which are here"),
)

export const out = Flag.String("out").pipe(
  Flag.withMetavar("folder"),
  Flag.withDefault(".runs"),
  Flag.withDescription("The folder of all runs, with their store"),
)

export const json = Flag.Boolean("json").pipe(
  Flag.withDefault(false),
  Flag.withDescription("Print the answer as one JSON document"),
)

export const quiet = Flag.Boolean("quiet").pipe(
  Flag.withDefault(false),
  Flag.withAlias("q"),
  Flag.withDescription("Show no progress"),
)
