/** What an engine has measured of a program, brought down to one typical call and its parts. */
import type { EngineProfile } from "../engine.js"

/** Milliseconds of a call, part by part: together they are the whole call. */
export interface Parts {
  /** Inside of kernels. */
  readonly kernels: number
  /** The runtime's session around the kernels. */
  readonly session: number
  /** The engine's own work that has a name, all of it. */
  readonly work: number
  /** The engine around its session and its named work. */
  readonly engine: number
  /** Between the caller and the engine's process, there and back. */
  readonly crossing: number
}

export interface Typical {
  /** Milliseconds of the whole call. */
  readonly total: number
  readonly parts: Parts
  /** Milliseconds of each of the engine's kernels, in the order of `kernels`. */
  readonly kernels: ReadonlyArray<number>
  /** Milliseconds of the engine's own work, by its name. */
  readonly work: ReadonlyMap<string, number>
  /** The place of the call whose duration is the median. */
  readonly median: number
}

const sum = (values: Iterable<number>): number => {
  let total = 0
  for (const value of values) total += value
  return total
}

/** A middle value; the lower one of two. */
export const medianOf = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN

/**
 * The mean over the middle half of the calls, by their duration: as robust as a median, and, as medians do not, the
 * parts add up to the whole.
 */
export const typical = ({ kernels, calls }: Pick<EngineProfile, "kernels" | "calls">): Typical => {
  const order = calls.map((_, i) => i).toSorted((a, b) => calls[a]!.total - calls[b]!.total)
  const aside = Math.floor(calls.length / 4)
  const middle = order.slice(aside, order.length - aside).map((i) => calls[i]!)
  const mean = (of: (call: (typeof middle)[number]) => number): number => sum(middle.map(of)) / middle.length

  const names = new Set(middle.flatMap(({ work }) => work.map(({ name }) => name)))
  const workOf = (call: (typeof middle)[number], name?: string): number =>
    sum(call.work.filter((one) => name === undefined || one.name === name).map(({ duration }) => duration))
  return {
    total: mean(({ total }) => total),
    parts: {
      kernels: mean(({ durations }) => sum(durations)),
      session: mean(({ session, durations }) => session.duration - sum(durations)),
      work: mean((call) => workOf(call)),
      engine: mean((call) => call.inside - call.session.duration - workOf(call)),
      crossing: mean(({ total, inside }) => total - inside),
    },
    kernels: kernels.map((_, place) => mean(({ durations }) => durations[place]!)),
    work: new Map([...names].map((name) => [name, mean((call) => workOf(call, name))])),
    median: order[Math.floor((order.length - 1) / 2)] ?? -1,
  }
}
