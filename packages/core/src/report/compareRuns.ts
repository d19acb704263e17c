/** What two runs differ in, and what came of it: the content of a comparison, apart from how it is shown. */
import { leaves } from "./leaves.js"
import type { ReportInput } from "./renderReport.js"
import type { StageStory } from "./story.js"

/** Something that both runs, or one of them, say; never twice the same. */
export interface Difference {
  readonly what: string
  /** Undefined where the run does not have it. */
  readonly a: string | undefined
  readonly b: string | undefined
}

export interface ComparedOutput {
  readonly port: string
  readonly a: string | undefined
  readonly b: string | undefined
}

export interface ComparedStage {
  readonly name: string
  readonly a: StageStory | undefined
  readonly b: StageStory | undefined
  readonly outputs: ReadonlyArray<ComparedOutput>
  /** `open` where one of them has not made its outputs. */
  readonly verdict: "equal" | "different" | "open"
}

export interface Comparison {
  /** What decides a run: graph, seed, engine. */
  readonly run: ReadonlyArray<Difference>
  /** Of each stage: node, wires, config values: `ppo.fit.schedule.peak`. */
  readonly config: ReadonlyArray<Difference>
  /** The machine and the versions of what ran. */
  readonly environment: ReadonlyArray<Difference>
  /** Every stage that either has, in the order of the first run. */
  readonly stages: ReadonlyArray<ComparedStage>
  /** The first stage whose digests differ: what follows it differs for its sake. */
  readonly first: string | undefined
}

type Rows = ReadonlyArray<readonly [string, string]>

const differences = (a: Rows, b: Rows): ReadonlyArray<Difference> => {
  const [ofA, ofB] = [new Map(a), new Map(b)]
  return [...new Set([...ofA.keys(), ...ofB.keys()])]
    .map((what) => ({ what, a: ofA.get(what), b: ofB.get(what) }))
    .filter((one) => one.a !== one.b)
}

const nodeRows = ({ graph }: ReportInput): Rows =>
  [...graph.nodes].flatMap(([path, { type, inputs, config }]) => [
    [`${path} is`, type] as const,
    ...Object.entries(inputs).map(([port, { from }]) => [`${path} < ${port}`, from] as const),
    ...leaves(config, path).filter(([name]) => name !== path),
  ])

const runRows = ({ graph, seed, environment }: ReportInput): Rows => [
  ["graph", graph.name],
  ["seed", seed],
  ["engine", String(environment.engine ?? "unknown")],
]

/** When a run began is no difference between two of them, and what decides it stands with `run`. */
const machineRows = ({ environment }: ReportInput): Rows => {
  const { engine: _, seed: __, graph: ___, startedAt: ____, ...machine } = environment
  return leaves(machine, "", " ")
}

const compareStage = (name: string, a: StageStory | undefined, b: StageStory | undefined): ComparedStage => {
  const [ofA, ofB] = [new Map(Object.entries(a?.digests ?? {})), new Map(Object.entries(b?.digests ?? {}))]
  const outputs = [...new Set([...ofA.keys(), ...ofB.keys()])].map((port) => ({
    port,
    a: ofA.get(port),
    b: ofB.get(port),
  }))
  const open = ofA.size === 0 || ofB.size === 0
  return { name, a, b, outputs, verdict: open ? "open" : outputs.every((o) => o.a === o.b) ? "equal" : "different" }
}

export const compareRuns = (a: ReportInput, b: ReportInput): Comparison => {
  const names = [...new Set([...a.story.stages.keys(), ...b.story.stages.keys()])]
  const stages = names.map((name) => compareStage(name, a.story.stages.get(name), b.story.stages.get(name)))
  return {
    run: differences(runRows(a), runRows(b)),
    config: differences(nodeRows(a), nodeRows(b)),
    environment: differences(machineRows(a), machineRows(b)),
    stages,
    first: stages.find(({ verdict }) => verdict === "different")?.name,
  }
}
