/** What a run would do, told from the store without running anything. */
import { Effect } from "effect"
import type { BadConfig, DiskFailed } from "../errors.js"
import type { Graph } from "../graph.js"
import type { Key } from "../random/key.js"
import { outputPorts } from "../run/stageOutputs.js"
import { type AtStage, keyOfStage, requireStages, walkStages } from "../run/walkStages.js"
import type { Made } from "./made.js"
import { type KeyParts, keyParts, type Machine, stageKey } from "./stageKey.js"
import type { Store } from "./store.js"
import { whatChanged } from "./whatChanged.js"

export interface PlannedStage {
  readonly stage: string
  /** `type@version` */
  readonly node: string
  /** `unsure` depends on what a stage before it makes: it runs, unless that turns out as it was. */
  readonly state: "cached" | "runs" | "unsure"
  /** Why it is not found, one reason a line; empty where it is. */
  readonly why: ReadonlyArray<string>
  /** The run that made what is found. */
  readonly from?: string
  /** How long it took when it was made last, with the same or another config. */
  readonly seconds?: number
  /** The most bytes that the run's processes held together meanwhile, where the system told. */
  readonly memory?: number
}

export interface PlanOptions {
  readonly store: Store
  readonly key: Key
  readonly machine: Machine
}

const tookOf = (made: Made | undefined): Pick<PlannedStage, "seconds" | "memory"> =>
  made === undefined ? {} : { seconds: made.seconds, ...(made.memory === undefined ? {} : { memory: made.memory }) }

/** What is known of a wire before the run: its digest, or the stage that must run first. */
type Known = { readonly digest: string } | { readonly waits: string }

const reasons = (before: KeyParts | undefined, now: KeyParts): ReadonlyArray<string> => {
  if (before === undefined) return ["it was not run before"]
  const changed = whatChanged(before, now)
  return changed.length > 0 ? changed : ["it was begun before and did not end, or what it made was removed"]
}

/**
 * Every stage of a graph, in the order in which they run. Files are not read: a damaged one is found by the run.
 * @fails BadConfig  the graph is one of tensor nodes
 */
export const planRun = (
  graph: Graph,
  { store, key: root, machine }: PlanOptions,
): Effect.Effect<ReadonlyArray<PlannedStage>, BadConfig | DiskFailed> =>
  Effect.gen(function* () {
    const plan: Array<PlannedStage> = []

    const planStage = ({ node, stage, inputs }: AtStage<Known>) =>
      Effect.gen(function* () {
        const told = { stage, node: `${node.type}@${node.version}` }
        const last = yield* store.last(graph.name, stage)
        const before = last === undefined ? undefined : yield* store.find(stageKey(last))
        const took = tookOf(before)
        const waits = [...new Set(Object.values(inputs).flatMap((known) => ("waits" in known ? [known.waits] : [])))]
        const runs = (state: "runs" | "unsure", why: ReadonlyArray<string>): Readonly<Record<string, Known>> => {
          plan.push({ ...told, state, why, ...took })
          return Object.fromEntries(outputPorts(node).map(([port]) => [port, { waits: stage }]))
        }
        if (node.volatile) return runs("runs", ["it reads what may have changed outside, and so runs each time"])
        const digests: Record<string, string> = {}
        for (const [port, known] of Object.entries(inputs)) {
          // What is not known yet may turn out as it was.
          const digest = "digest" in known ? known.digest : last?.inputs[port]
          if (digest !== undefined) digests[port] = digest
        }
        const parts = keyParts(node, digests, keyOfStage(root, stage), machine)
        if (waits.length > 0) {
          const changed = last === undefined ? ["it was not run before"] : whatChanged(last, parts)
          const needs = `it needs what ${waits.map((one) => `\`${one}\``).join(" and ")} makes`
          return runs(changed.length > 0 ? "runs" : "unsure", [...changed, needs])
        }
        const made = yield* store.find(stageKey(parts))
        if (made === undefined) return runs("runs", reasons(last, parts))
        plan.push({ ...told, state: "cached", why: [], from: made.run, ...tookOf(made) })
        return Object.fromEntries(made.outputs.map(({ port, digest }): [string, Known] => [port, { digest }]))
      })

    yield* walkStages(yield* requireStages(graph), {}, planStage)
    return plan
  })
