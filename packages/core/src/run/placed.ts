/** A stage at its place in a run, and what travels on its wires. */
import { Effect } from "effect"
import type { Engine } from "../engine.js"
import type { BadData, DiskFailed, NodeFailed } from "../errors.js"
import type { Key } from "../random/key.js"
import type { KeyParts } from "../store/stageKey.js"
import type { StageCache } from "./stageCache.js"
import type { AtStage } from "./walkStages.js"

/** What travels on a wire. The value is there when it is asked for. */
export interface Carried<E = never, R = never> {
  /** Undefined where it cannot be told: what depends on it is not looked for in the store. */
  readonly digest: string | undefined
  readonly value: Effect.Effect<unknown, E, R>
}

export type StageError<E> = NodeFailed | BadData | DiskFailed | E

/** A stage at its place in a run. */
export interface Placed<E, R> extends AtStage<Carried<StageError<E>, Engine | R>> {
  /** Its own: the run's, split by the names on its path. */
  readonly key: Key
}

/** The outputs by port, `out` where there is one alone. */
export type Outcome<E, R> = Readonly<Record<string, Carried<StageError<E>, Engine | R>>>

/** The values of a stage's inputs, by port. */
export const valuesOf = <E, R>(inputs: Placed<E, R>["inputs"]) =>
  Effect.map(
    Effect.forEach(Object.entries(inputs), ([port, { value }]) => Effect.map(value, (is) => [port, is] as const)),
    (entries): Readonly<Record<string, unknown>> => Object.fromEntries(entries),
  )

/** Digests of the inputs by port; none where one cannot be told, or the stage reads what may change outside. */
export const inputDigests = <E, R>({ node, inputs }: Placed<E, R>): Readonly<Record<string, string>> | undefined => {
  const digests: Record<string, string> = {}
  for (const [port, { digest }] of Object.entries(inputs)) {
    if (digest === undefined) return undefined
    digests[port] = digest
  }
  return node.volatile ? undefined : digests
}

/** The parts of the stage's key; none where there is no store, or the stage is not to be looked for in it. */
export const partsOf = <E, R>(placed: Placed<E, R>, cache: StageCache | undefined): KeyParts | undefined => {
  const inputs = inputDigests(placed)
  return inputs === undefined ? undefined : cache?.partsOf(placed.node, placed.key, inputs)
}
