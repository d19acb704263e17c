/** What two runs differ in, and what came of it: for `millrace runs diff` and for the page that compares two. */
import type { GraphJson } from "../graph/encode.js"
import type { StageStory } from "../report/story.js"
import { type Difference, differences } from "./difference.js"
import { environmentDifferences } from "./environmentDifferences.js"
import type { RunFacts } from "./runFacts.js"
import type { RunMetric } from "./runMetrics.js"

/** A run as it is held beside another. */
export interface ComparedRun extends Pick<RunFacts, "graph" | "seed" | "engine" | "environment" | "nodes" | "story"> {
  /** The numbers that came of it. */
  readonly metrics: ReadonlyArray<RunMetric>
}

export interface StageDifference {
  readonly stage: string
  /** `open` where one of them has not made its outputs. */
  readonly verdict: "same" | "different" | "open"
  /** Digests by port, also those that are the same; undefined in the run that has none. */
  readonly outputs: ReadonlyArray<{
    readonly port: string
    readonly a: string | undefined
    readonly b: string | undefined
  }>
  readonly a: StageStory | undefined
  readonly b: StageStory | undefined
}

export interface MetricDifference extends Pick<RunMetric, "stage" | "name"> {
  readonly a: number | undefined
  readonly b: number | undefined
}

export interface RunDifference {
  /** The graph's name, the seed, and what runs the tensors. */
  readonly run: ReadonlyArray<Difference>
  /** All that the graph's file says: nodes with their versions, wires, outputs, and values of configs: `ppo.fit.schedule.peak`. */
  readonly graph: ReadonlyArray<Difference>
  /** Versions and machine. */
  readonly environment: ReadonlyArray<Difference>
  /** Every stage that either has, in the order of the first run. */
  readonly stages: ReadonlyArray<StageDifference>
  /** Numbers that are not the same in both. */
  readonly metrics: ReadonlyArray<MetricDifference>
  /** How many numbers are. */
  readonly equalMetrics: number
}

/** What two maps have under each key, in the order of the first. */
const paired = <V>(a: ReadonlyMap<string, V>, b: ReadonlyMap<string, V>) =>
  [...new Set([...a.keys(), ...b.keys()])].map((key) => ({ key, a: a.get(key), b: b.get(key) }))

/** A node, or a graph, in the file of a graph. */
interface Part {
  readonly config: unknown
  /** The rest: what it is, its wires, and so on. */
  readonly about: Readonly<Record<string, unknown>>
}

/** All that stands in the file of a graph, by path; the whole graph, under no path, without its name, which is the run's. */
const partsOf = (graph: GraphJson, path = "", around: Part["about"] = {}): ReadonlyArray<readonly [string, Part]> => {
  const { name: _, nodes, ...about } = graph
  return [
    [path, { config: undefined, about: { ...around, ...about } }],
    ...nodes.flatMap(({ name, config, graph: inner, ...rest }): ReadonlyArray<readonly [string, Part]> => {
      const place = path === "" ? name : `${path}.${name}`
      return inner === undefined
        ? [[place, { config, about: rest }]]
        : partsOf(inner, place, { ...rest, graph: inner.name })
    }),
  ]
}

const titleOf = (part: Part | undefined): unknown => part && (part.about.node ?? "graph")

const graphDifferences = (a: GraphJson | undefined, b: GraphJson | undefined): ReadonlyArray<Difference> => {
  const [ofA, ofB] = [a, b].map((graph) => new Map(graph === undefined ? [] : partsOf(graph)))
  return paired(ofA!, ofB!).flatMap(({ key: path, a, b }) => {
    if (a === undefined || b === undefined) return [{ what: path || "all of it", a: titleOf(a), b: titleOf(b) }]
    const about = paired(new Map(Object.entries(a.about)), new Map(Object.entries(b.about)))
    return [
      ...about.flatMap(({ key, a, b }) => differences(a, b, `${path} (${key})`.trimStart())),
      ...differences(a.config, b.config, path),
    ]
  })
}

const decidingOf = ({ graph, seed, engine, environment }: ComparedRun) => ({
  graph,
  seed,
  engine: `${engine} (${String(environment.engine ?? "?")})`,
})

const stageDifference = (stage: string, a: StageStory | undefined, b: StageStory | undefined): StageDifference => {
  const [ofA, ofB] = [a, b].map((story) => new Map(Object.entries(story?.digests ?? {})))
  const outputs = paired(ofA!, ofB!).map(({ key: port, a, b }) => ({ port, a, b }))
  // A stage tells all its digests when it ends: where one alone is missing, its node is another.
  const open = ofA!.size === 0 || ofB!.size === 0
  return { stage, verdict: open ? "open" : outputs.every((o) => o.a === o.b) ? "same" : "different", outputs, a, b }
}

const metricDifferences = (a: ReadonlyArray<RunMetric>, b: ReadonlyArray<RunMetric>) => {
  const [ofA, ofB] = [a, b].map((all) => new Map(all.map((one) => [`${one.stage}\n${one.name}`, one])))
  const all = paired(ofA!, ofB!).flatMap(({ a, b }) => {
    const one = a ?? b
    return one === undefined ? [] : [{ stage: one.stage, name: one.name, a: a?.value, b: b?.value }]
  })
  const metrics = all.filter((one) => !Object.is(one.a, one.b))
  return { metrics, equalMetrics: all.length - metrics.length }
}

export const diffRuns = (a: ComparedRun, b: ComparedRun): RunDifference => ({
  run: differences(decidingOf(a), decidingOf(b)),
  graph: graphDifferences(a.nodes, b.nodes),
  environment: environmentDifferences(a.environment, b.environment),
  stages: paired(a.story.stages, b.story.stages).map(({ key, a, b }) => stageDifference(key, a, b)),
  ...metricDifferences(a.metrics, b.metrics),
})
