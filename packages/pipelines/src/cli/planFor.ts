import {
  Engine,
  type EngineName,
  Engines,
  environmentOf,
  type Graph,
  keyFromSeed,
  machineOf,
  type PlannedStage,
  planRun,
  storeAt,
  storeIn,
} from "@millrace/core"
import { Effect } from "effect"
import { Ended, failed, invalid } from "./exit.js"
import { seedOf } from "./seed.js"

/** What a run with these arguments would do. The engine is started, since its version is part of every key. */
export const planFor = (
  graph: Graph,
  { seed, engine, out }: { readonly seed: string; readonly engine: EngineName; readonly out: string },
): Effect.Effect<ReadonlyArray<PlannedStage>, Ended> =>
  Effect.gen(function* () {
    const running = yield* Engine
    const machine = machineOf(running, yield* environmentOf(running))
    return yield* planRun(graph, { store: storeAt(storeIn(out)), key: keyFromSeed(seedOf(seed)), machine })
  }).pipe(
    Effect.mapError((error) => (error._tag === "BadConfig" ? invalid(error) : failed(error))),
    Effect.provide(Engines.layer(engine)),
    Effect.mapError((error) => (error instanceof Ended ? error : failed(error))),
  )
