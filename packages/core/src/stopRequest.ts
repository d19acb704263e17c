/** How a run is asked to stop at its next step, and told apart from one that is interrupted where it stands. */
import { Context, Deferred, Effect, type Scope } from "effect"

export interface StopRequest {
  /** Asks the runs that listen to stop at their next step. @returns false where none listens */
  readonly ask: () => boolean
  readonly asked: () => boolean
  /** Ends when it is asked. */
  readonly wait: Effect.Effect<void>
  /** Says that somebody stops when asked to, as long as the scope is open. */
  readonly listen: Effect.Effect<void, never, Scope.Scope>
}

export const stopRequest = (): StopRequest => {
  const asking = Deferred.makeUnsafe<void>()
  let listeners = 0
  return {
    ask: () => {
      // Whoever waits may end, and listen no longer, before the next line.
      const heard = listeners > 0
      Deferred.doneUnsafe(asking, Effect.void)
      return heard
    },
    asked: () => Deferred.isDoneUnsafe(asking),
    wait: Deferred.await(asking),
    listen: Effect.acquireRelease(
      Effect.sync(() => void listeners++),
      () => Effect.sync(() => void listeners--),
    ),
  }
}

/** The request that a run obeys. By default one that nobody makes. */
export const Stopping: Context.Reference<StopRequest> = Context.Reference("millrace/Stopping", {
  defaultValue: stopRequest,
})
