/** Running an effect on an engine, in a scope of its own. */
import { type Engine, type EngineLayerError, Engines } from "@millrace/core"
import { Effect, type Scope } from "effect"

export const on = <A, E>(engine: string, work: Effect.Effect<A, E, Engine | Scope.Scope>, threads = 2): Promise<A> =>
  Effect.runPromise(
    Effect.scoped(Effect.provide(work, Engines.layer(engine, { threads }))) as Effect.Effect<A, E | EngineLayerError>,
  )
