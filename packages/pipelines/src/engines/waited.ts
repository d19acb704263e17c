import { Effect } from "effect"

/**
 * A promise as an effect that, interrupted, tells it so and waits until it has ended: what it does to files is over when they are
 * removed. Its rejections are failures.
 */
export const waited = <A>(work: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, unknown> =>
  Effect.callback<A, unknown>((resume) => {
    const controller = new AbortController()
    const settled = work(controller.signal).then(
      (value) => resume(Effect.succeed(value)),
      (error: unknown) => resume(Effect.fail(error)),
    )
    return Effect.promise(() => {
      controller.abort()
      return settled
    })
  })
