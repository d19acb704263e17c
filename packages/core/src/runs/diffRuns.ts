/** What two runs differ in, and what came of it. */
import { Effect } from "effect"
import type { DiskFailed } from "../errors.js"
import type { GraphJson } from "../graph/encode.js"
import { type Change, changes } from "../store/whatChanged.js"
import { environmentChanges } from "./environmentChanges.js"
import type { RunFacts } from "./runFacts.js"
import { type RunMetric, runMetrics } from "./runMetrics.js"

export interface StageDifference {
  readonly stage: string
  /** `open` where a run has not made its outputs. */
  readonly verdict: "same" | "different" | "open"
  /** Digests by port, undefined where the run has none. */
  readonly outputs: ReadonlyArray<{
    readonly port: string
    readonly before: string | undefined
    readonly now: string | undefined
  }>
}

export interface MetricDifference extends Pick<RunMetric, "stage" | "name"> {
  readonly before: number | undefined
  readonly now: number | undefined
}

export interface RunDifference {
  /** The graph's name, the seed, and what runs the tensors. */
  readonly run: ReadonlyArray<Change>
  /** Nodes with their versions, wires, and values of configs: `ppo.fit.schedule.peak`. */
  readonly graph: ReadonlyArray<Change>
  /** Versions and machine. */
  readonly environment: ReadonlyArray<Change>
  /** Every stage that either has, in the order of the first. */
  readonly stages: ReadonlyArray<StageDifference>
  /** Numbers that are not the same in both. */
  readonly metrics: ReadonlyArray<MetricDifference>
  /** How many numbers are. */
  readonly equalMetrics: number
}

/** Every node by its path in the graph, with what it is. */
const nodesOf = (graph: GraphJson, prefix = ""): ReadonlyArray<readonly [path: string, node: Node]> =>
  graph.nodes.flatMap(({ name, node, config, graph: inner, wires }) => [
    [`${prefix}${name}`, { node, config, wires }] as const,
    ...(inner === undefined ? [] : nodesOf(inner, `${prefix}${name}.`)),
  ])

interface Node {
  readonly node: string | undefined
  readonly config: unknown
  readonly wires: Readonly<Record<string, string>>
}

const graphChanges = (a: RunFacts, b: RunFacts): ReadonlyArray<Change> => {
  const [before, now] = [a, b].map(({ nodes }) => new Map<string, Node>(nodes === undefined ? [] : nodesOf(nodes)))
  const paths = [...new Set([...before!.keys(), ...now!.keys()])]
  return paths.flatMap((path) => {
    const [x, y] = [before!.get(path), now!.get(path)]
    if (x === undefined || y === undefined)
      return [{ path, before: x && (x.node ?? "graph"), now: y && (y.node ?? "graph") }]
    return [
      ...changes(x.node, y.node, `${path} (node)`),
      ...changes(x.wires, y.wires, `${path} (wires)`),
      ...changes(x.config, y.config, path),
    ]
  })
}

const runOf = ({ graph, seed, engine, environment }: RunFacts) => ({
  graph,
  seed,
  engine: `${engine} (${String(environment.engine ?? "?")})`,
})

const stageDifference = (stage: string, a: RunFacts, b: RunFacts): StageDifference => {
  const [before, now] = [a, b].map(({ story }) => story.stages.get(stage)?.digests ?? {})
  const outputs = [...new Set([...Object.keys(before!), ...Object.keys(now!)])].map((port) => ({
    port,
    before: before![port],
    now: now![port],
  }))
  const open = outputs.length === 0 || outputs.some((one) => one.before === undefined || one.now === undefined)
  return { stage, outputs, verdict: open ? "open" : outputs.every((o) => o.before === o.now) ? "same" : "different" }
}

const metricDifferences = (a: ReadonlyArray<RunMetric>, b: ReadonlyArray<RunMetric>) => {
  const key = ({ stage, name }: RunMetric) => `${stage}\n${name}`
  const [before, now] = [a, b].map((all) => new Map(all.map((one) => [key(one), one])))
  const all = [...new Map([...before!, ...now!])].map(([id, { stage, name }]) => ({
    stage,
    name,
    before: before!.get(id)?.value,
    now: now!.get(id)?.value,
  }))
  const metrics = all.filter((one) => !Object.is(one.before, one.now))
  return { metrics, equalMetrics: all.length - metrics.length }
}

/** @fails DiskFailed  what a run measured cannot be read */
export const diffRuns = (a: RunFacts, b: RunFacts): Effect.Effect<RunDifference, DiskFailed> =>
  Effect.gen(function* () {
    const stages = [...new Set([...a.story.stages.keys(), ...b.story.stages.keys()])]
    return {
      run: changes(runOf(a), runOf(b), ""),
      graph: graphChanges(a, b),
      environment: environmentChanges(a.environment, b.environment),
      stages: stages.map((stage) => stageDifference(stage, a, b)),
      ...metricDifferences(yield* runMetrics(a), yield* runMetrics(b)),
    }
  })
