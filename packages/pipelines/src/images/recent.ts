import { Effect } from "effect"

/** What was made last, up to a number of bytes: the rest is made again when it is asked for. */
export interface Recent {
  readonly get: <E>(key: number, make: () => Effect.Effect<Uint8Array, E>) => Effect.Effect<Uint8Array, E>
}

/** @param bytes  the most that is held; one thing larger than that is made each time */
export const recent = (bytes: number): Recent => {
  const held = new Map<number, Uint8Array>() // oldest use first
  let total = 0
  const drop = (key: number): void => {
    total -= held.get(key)?.length ?? 0
    held.delete(key)
  }
  const hold = (key: number, value: Uint8Array): void => {
    drop(key)
    held.set(key, value)
    total += value.length
    for (const oldest of held.keys()) {
      if (total <= bytes) return
      drop(oldest)
    }
  }
  return {
    get: (key, make) =>
      Effect.suspend(() => {
        const known = held.get(key)
        return known === undefined ? make() : Effect.succeed(known)
      }).pipe(Effect.tap((value) => Effect.sync(() => hold(key, value)))),
  }
}
