/** One call as it happened: the kernels in their places, milliseconds from when the caller called. */

import type { EngineWork, Span } from "../engine/measured.js"
import type { EngineProfile } from "../engine.js"

export interface TimelineKernel extends Span {
  readonly name: string
  readonly op: string
  readonly provider: string
  readonly path: ReadonlyArray<string>
}

export interface Timeline {
  readonly name: string
  readonly call: Span
  /** The engine's process. */
  readonly inside: Span
  readonly session: Span
  readonly work: ReadonlyArray<EngineWork>
  /** In the order in which they ran. */
  readonly kernels: ReadonlyArray<TimelineKernel>
}

/**
 * @param which   the place of the call
 * @param pathOf  the path of a kernel, by its place
 */
export const timelineOf = (
  name: string,
  { kernels, calls }: Pick<EngineProfile, "kernels" | "calls">,
  which: number,
  pathOf: (kernel: number) => ReadonlyArray<string>,
): Timeline => {
  const { total, inside, session, work, starts, durations } = calls[which]!
  // The two processes share no clock: there is taken to be as long as back.
  const offset = (total - inside) / 2
  const later = <S extends Span>(span: S): S => ({ ...span, start: span.start + offset })
  return {
    name,
    call: { start: 0, duration: total },
    inside: { start: offset, duration: inside },
    session: later(session),
    work: work.map(later),
    kernels: kernels
      .map((kernel, i) => ({ ...kernel, path: pathOf(i), start: starts[i]! + offset, duration: durations[i]! }))
      .toSorted((a, b) => a.start - b.start),
  }
}
