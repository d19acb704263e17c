/** The event bus of one run: stamped, multicast, and never slower than the slowest listener, because it waits for none. */
import { Observable, Subject } from "rxjs"
import type { RunEvent, StampedEvent } from "./event.js"

export interface RunEvents {
  /**
   * Every event from now on, after a replay of what a late listener needs to catch up: the start of the run and the last
   * event of each kind of each stage. What is kept for the replay grows with the number of stages alone.
   */
  readonly all: Observable<StampedEvent>
  /** Stamps and delivers. Delivery is synchronous: a listener that is slow must sample or drop, never block. */
  readonly emit: (event: RunEvent) => void
  /**
   * Goes on after the events of earlier processes of the run: numbers and time continue theirs, and late listeners get what
   * they need of them. Nobody who listens already hears them.
   */
  readonly after: (earlier: ReadonlyArray<StampedEvent>) => void
  /** Completes `all`. Later events are dropped. */
  readonly close: () => void
}

/** What a late listener needs: the newest table of each title, and the newest event of every other kind. */
const slot = (event: RunEvent): string =>
  [event.type, "stage" in event ? event.stage : "", "title" in event ? event.title : ""].join("\n")

/**
 * A new bus.
 * @param now  seconds of a monotonic clock
 */
export const runEvents = (now: () => number = () => performance.now() / 1000): RunEvents => {
  const live = new Subject<StampedEvent>()
  const latest = new Map<string, StampedEvent>()
  let start = now()
  let sequence = 0
  return {
    all: new Observable((listener) => {
      const seen = [...latest.values()].sort((a, b) => a.sequence - b.sequence)
      for (const event of seen) listener.next(event)
      return live.subscribe(listener)
    }),
    emit: (event) => {
      if (live.closed || live.isStopped) return
      const stamped = { ...event, sequence: sequence++, secondsSinceStart: now() - start }
      latest.set(slot(event), stamped)
      live.next(stamped)
    },
    after: (earlier) => {
      for (const event of earlier) latest.set(slot(event), event)
      const last = earlier.at(-1)
      sequence = Math.max(sequence, (last?.sequence ?? -1) + 1)
      start = now() - Math.max(now() - start, last?.secondsSinceStart ?? 0)
    },
    close: () => live.complete(),
  }
}
