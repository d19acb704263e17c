/** The one way through a graph of stages: running it, planning it and drawing up what was run all go it. */
import { Effect } from "effect"
import { BadConfig } from "../errors.js"
import type { Graph, StageGraph } from "../graph.js"
import { isPort, type StageNode } from "../node.js"
import { type Key, split } from "../random/key.js"
import { isStageGraph } from "./stageNames.js"

/** A stage at its place in a graph. */
export interface AtStage<Wire> {
  readonly node: StageNode
  /** Its path in the graph, with dots. */
  readonly stage: string
  /** The same for errors: `graph > stage`. */
  readonly where: string
  /** What arrives at it, by port. */
  readonly inputs: Readonly<Record<string, Wire>>
}

/** The random key of a stage: that of the run, split by the names on the stage's path. */
export const keyOfStage = (root: Key, stage: string): Key =>
  stage.split(".").reduce((key, name) => split(key, name), root)

/** @fails BadConfig  the graph is one of tensor nodes */
export const requireStages = (graph: Graph): Effect.Effect<StageGraph, BadConfig> =>
  isStageGraph(graph)
    ? Effect.succeed(graph)
    : Effect.fail(
        new BadConfig({
          where: graph.name,
          expected: "a graph of stages",
          received: `a graph of ${graph.level} nodes`,
          fix: "a tensor graph is trained or evaluated by a stage: put it into one; describe and profile tell of it alone",
        }),
      )

/**
 * Goes to every stage, those of nested graphs in their place, each after those that it needs.
 * @param inputs  what the graph's inputs carry, by name
 * @param visit   gives what the stage puts on its wires, by port: `out` where it has one alone
 * @returns       what the graph's outputs carry, by name
 */
export const walkStages = <Wire, E, R>(
  graph: StageGraph,
  inputs: AtStage<Wire>["inputs"],
  visit: (at: AtStage<Wire>) => Effect.Effect<Readonly<Record<string, Wire>>, E, R>,
): Effect.Effect<Readonly<Record<string, Wire>>, E, R> => {
  const walk = (
    level: StageGraph,
    path: string,
    where: string,
    given: AtStage<Wire>["inputs"],
  ): Effect.Effect<Readonly<Record<string, Wire>>, E, R> =>
    Effect.gen(function* () {
      const wires = new Map(Object.entries(given))
      const wanted = Object.entries(level.outputs)
      for (const [i, { name, node, wires: ends }] of level.nodes.entries()) {
        const stage = path + name
        const at = `${where} > ${name}`
        if (node.level !== "stage") return yield* Effect.die(new Error(`internal: ${at} is not a stage`))
        const arriving = Object.entries(ends).map(([port, wire]) => [port, wires.get(wire)!] as const)
        const inputs = Object.fromEntries(arriving)
        const made = isStageGraph(node)
          ? yield* walk(node, `${stage}.`, at, inputs)
          : yield* visit({ node, stage, where: at, inputs })
        for (const [port, wire] of Object.entries(made)) wires.set(isPort(node.out) ? name : `${name}.${port}`, wire)
        // Weights are large: a value that no later stage reads is let go.
        const needed = new Set([
          ...wanted.map(([, wire]) => wire),
          ...level.nodes.slice(i + 1).flatMap((later) => Object.values(later.wires)),
        ])
        for (const wire of wires.keys()) if (!needed.has(wire)) wires.delete(wire)
      }
      return Object.fromEntries(wanted.map(([name, wire]) => [name, wires.get(wire)!]))
    })
  return walk(graph, "", graph.name, inputs)
}
