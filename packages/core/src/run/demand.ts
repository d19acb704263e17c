/** The beginning of a dataflow: a source that is pulled only while its values are being used up. `bounded.ts` has the rest. */
import { Observable } from "rxjs"
import { BadConfig } from "../errors.js"

/** A value on its way through a dataflow. */
export interface Ticket<T> {
  readonly value: T
  /** Gives the credit back, once. `settle` does it. */
  readonly settle: () => void
}

const isAsync = <T>(source: Iterable<T> | AsyncIterable<T>): source is AsyncIterable<T> =>
  typeof source === "object" && Symbol.asyncIterator in source

const pull = <T>(source: Iterable<T> | AsyncIterable<T>): Iterator<T> | AsyncIterator<T> =>
  isAsync(source) ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()

/**
 * An Observable that pulls from `source` while fewer than `ahead` of its values are unsettled. It completes when the
 * source has ended and every value is settled; unsubscribing closes the source's iterator.
 */
export const demand = <T>(source: Iterable<T> | AsyncIterable<T>, ahead: number): Observable<Ticket<T>> => {
  if (!Number.isSafeInteger(ahead) || ahead < 1) {
    throw new BadConfig({
      where: "demand",
      expected: "ahead: a whole number from 1",
      received: String(ahead),
      fix: "give 1 or more",
    })
  }
  return new Observable((listener) => {
    const iterator = pull(source)
    let unsettled = 0
    let pulling = false
    let ended = false
    const stop = (): void => {
      ended = true
      // A source that fails to close has nobody left to tell.
      Promise.resolve(iterator.return?.()).catch(() => undefined)
    }
    const receive = (result: IteratorResult<T>): void => {
      if (listener.closed) return
      if (result.done === true) {
        ended = true
        return
      }
      unsettled++
      let settled = false
      listener.next({
        value: result.value,
        settle: () => {
          if (settled) return
          settled = true
          unsettled--
          advance()
        },
      })
    }
    // A loop and a flag, not recursion: a synchronous source whose values settle at once must not grow the stack.
    const advance = (): void => {
      if (pulling) return
      pulling = true
      while (!ended && !listener.closed && unsettled < ahead) {
        let next: IteratorResult<T> | Promise<IteratorResult<T>>
        try {
          next = iterator.next()
        } catch (error) {
          ended = true
          listener.error(error)
          return
        }
        if (next instanceof Promise) {
          next.then(
            (result) => {
              pulling = false
              receive(result)
              advance()
            },
            (error) => {
              ended = true
              listener.error(error)
            },
          )
          return
        }
        receive(next)
      }
      pulling = false
      if (ended && unsettled === 0) listener.complete()
    }
    advance()
    return stop
  })
}
