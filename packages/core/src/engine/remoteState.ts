/** State on its way to an engine's child process and back, in messages of bounded size. */
import { Effect, Semaphore } from "effect"
import type { State } from "../engine.js"
import { EngineFailed } from "../errors.js"
import { emptyData, type HostTensors, type Specs, sizeOf } from "../tensor.js"
import { type TensorSource, tensorSource } from "../tensorSource.js"
import { checkWrite, unknownNames } from "./check.js"
import type { Remote } from "./remote.js"
import { messagesOf, type Piece, toPiece } from "./wire.js"

/** Requests that wait for each other, so that none comes between the parts of a state that crosses in several messages. */
export interface Turns {
  readonly ask: Remote["ask"]
  /** All or, where the first has not begun, none. */
  readonly inTurn: <A, E>(parts: (ask: Remote["ask"]) => Effect.Effect<A, E>) => Effect.Effect<A, E>
}

export const turnsOf = (remote: Remote): Turns => {
  const one = Semaphore.makeUnsafe(1)
  return {
    ask: (what, request) => one.withPermit(remote.ask(what, request)),
    inTurn: (parts) => one.withPermit(Effect.uninterruptible(parts(remote.ask))),
  }
}

/**
 * Sends all tensors of a source to a state.
 * @param zero  whether the state is zero so far: what is zero need not be sent
 */
export const sendTensors = <E>(ask: Remote["ask"], state: number, { specs, piece }: TensorSource<E>, zero: boolean) =>
  Effect.forEach(
    messagesOf(specs),
    (ranges) =>
      Effect.gen(function* () {
        const pieces: Record<string, Piece> = {}
        for (const [name, { begin, end }] of Object.entries(ranges)) {
          const found = toPiece(yield* piece(name, begin, end), begin)
          if (!(zero && "fill" in found && Object.is(found.fill, 0))) pieces[name] = found
        }
        if (Object.keys(pieces).length > 0) yield* ask("state", { kind: "write", state, pieces })
      }),
    { discard: true },
  )

/** The main process's end of a state in the child. */
export const stateOf = (inTurn: Turns["inTurn"], id: number, specs: Specs): State => ({
  specs,
  read: (names = Object.keys(specs)) =>
    Effect.gen(function* () {
      const unknown = unknownNames(specs, names)
      if (unknown.length > 0) {
        return yield* new EngineFailed({
          where: "state",
          expected: `names among ${Object.keys(specs).join(", ")}`,
          received: unknown.join(", "),
          fix: "read names of `specs`",
        })
      }
      const all: HostTensors = Object.fromEntries(
        names.map((name) => {
          const { dtype, shape } = specs[name]!
          return [name, { dtype, shape, data: emptyData(dtype, sizeOf(shape)) }]
        }),
      )
      yield* inTurn((ask) =>
        Effect.forEach(
          messagesOf(all),
          (ranges) =>
            Effect.map(ask("state", { kind: "read", state: id, ranges }), (pieces) => {
              for (const [name, { data }] of Object.entries(pieces)) all[name]!.data.set(data, ranges[name]!.begin)
            }),
          // One on its way while another is put in its place.
          { discard: true, concurrency: 2 },
        ),
      )
      return all
    }),
  write: (values: HostTensors) =>
    Effect.gen(function* () {
      const error = checkWrite(specs, values)
      if (error !== null) return yield* error
      yield* inTurn((ask) => sendTensors(ask, id, tensorSource(values), false))
    }),
})
