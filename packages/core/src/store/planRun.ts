/** What a run would do, told from the store without running anything. */
import { Effect } from "effect"
import { BadConfig, type DiskFailed } from "../errors.js"
import type { Graph, StageGraph } from "../graph.js"
import { isPort } from "../node.js"
import { type Key, split } from "../random/key.js"
import { isStageGraph } from "../run/stageNames.js"
import { outputPorts } from "../run/stageOutputs.js"
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
): Effect.Effect<ReadonlyArray<PlannedStage>, BadConfig | DiskFailed> => {
  const plan: Array<PlannedStage> = []

  const planNodes = (
    level: StageGraph,
    path: string,
    key: Key,
    inputs: Readonly<Record<string, Known>>,
  ): Effect.Effect<Readonly<Record<string, Known>>, DiskFailed> =>
    Effect.gen(function* () {
      const wires = new Map(Object.entries(inputs))
      for (const { name, node, wires: ends } of level.nodes) {
        const stage = path + name
        const own = split(key, name)
        if (node.level !== "stage") continue
        const arriving = Object.fromEntries(Object.entries(ends).map(([port, wire]) => [port, wires.get(wire)!]))
        const put = (port: string, known: Known) => wires.set(isPort(node.out) ? name : `${name}.${port}`, known)
        if (isStageGraph(node)) {
          const made = yield* planNodes(node, `${stage}.`, own, arriving)
          for (const [port, known] of Object.entries(made)) put(port, known)
          continue
        }
        const told = { stage, node: `${node.type}@${node.version}` }
        const last = yield* store.last(graph.name, stage)
        const before = last === undefined ? undefined : yield* store.find(stageKey(last))
        const took = tookOf(before)
        const waits = [...new Set(Object.values(arriving).flatMap((known) => ("waits" in known ? [known.waits] : [])))]
        const runs = (state: "runs" | "unsure", why: ReadonlyArray<string>) => {
          plan.push({ ...told, state, why, ...took })
          for (const [port] of outputPorts(node)) put(port, { waits: stage })
        }
        if (node.volatile) {
          runs("runs", ["it reads what may have changed outside, and so runs each time"])
          continue
        }
        if (waits.length > 0) {
          const digests = last?.inputs ?? {}
          const known = Object.entries(arriving).map(([port, one]) => [
            port,
            "digest" in one ? one.digest : digests[port],
          ])
          const guess = keyParts(node, Object.fromEntries(known) as Readonly<Record<string, string>>, own, machine)
          const changed = last === undefined ? ["it was not run before"] : whatChanged(last, guess)
          const needs = `it needs what ${waits.map((one) => `\`${one}\``).join(" and ")} makes`
          runs(changed.length > 0 ? "runs" : "unsure", [...changed, needs])
          continue
        }
        const digests = Object.entries(arriving).map(([port, known]) => [port, "digest" in known ? known.digest : ""])
        const parts = keyParts(node, Object.fromEntries(digests) as Readonly<Record<string, string>>, own, machine)
        const made = yield* store.find(stageKey(parts))
        if (made === undefined) {
          runs("runs", reasons(last, parts))
          continue
        }
        plan.push({ ...told, state: "cached", why: [], from: made.run, ...tookOf(made) })
        for (const { port, digest } of made.outputs) put(port, { digest })
      }
      return Object.fromEntries(Object.entries(level.outputs).map(([name, wire]) => [name, wires.get(wire)!]))
    })

  return Effect.suspend((): Effect.Effect<ReadonlyArray<PlannedStage>, BadConfig | DiskFailed> => {
    if (!isStageGraph(graph)) {
      return Effect.fail(
        new BadConfig({
          where: graph.name,
          expected: "a graph of stages",
          received: `a graph of ${graph.level} nodes`,
          fix: "describe and profile tell of a graph of tensors",
        }),
      )
    }
    return Effect.as(planNodes(graph, "", root, {}), plan)
  })
}
