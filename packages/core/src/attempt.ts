import { Effect } from "effect"

/**
 * Runs synchronous code that throws errors of one class, as an effect that fails with them.
 * Anything else that is thrown stays what it is: a defect.
 */
export const attempt = <A, E>(refusal: abstract new (...args: never) => E, run: () => A): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(run())
    } catch (error) {
      if (error instanceof refusal) return Effect.fail(error)
      throw error
    }
  })
