/** One stage of a run: found in the store, or run. */
import { Effect } from "effect"
import type { Engine } from "../engine.js"
import { executeStage } from "./executeStage.js"
import { foundStage } from "./foundStage.js"
import { type Outcome, type Placed, partsOf, type StageError } from "./placed.js"
import type { RunOptions } from "./runGraph.js"

export interface StageDone<E, R> {
  /** SHA-256 of each output, by port. */
  readonly digests: Readonly<Record<string, string>>
  readonly outputs: Outcome<E, R>
}

/** Runs a stage, unless the store has what it makes. */
export const runStage = <E, R>(
  placed: Placed<E, R>,
  options: RunOptions<E, R>,
): Effect.Effect<StageDone<E, R>, StageError<E>, Engine | R> =>
  Effect.gen(function* () {
    const { cache } = options
    const parts = partsOf(placed, cache)
    const hit = cache === undefined || parts === undefined ? undefined : yield* cache.find(placed.stage, parts)
    if (hit !== undefined) {
      yield* Effect.annotateCurrentSpan("millrace.cached", true)
      return yield* foundStage(placed, hit, options)
    }
    const { digests, values } = yield* executeStage(placed, options)
    const outputs = Object.fromEntries(
      Object.entries(values).map(([port, value]) => [port, { digest: digests[port], value: Effect.succeed(value) }]),
    )
    return { digests, outputs }
  }).pipe(
    Effect.withSpan(placed.stage, { attributes: { "millrace.node": `${placed.node.type}@${placed.node.version}` } }),
  )
