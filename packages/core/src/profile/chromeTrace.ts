/** A call as a Chrome trace: opens in chrome://tracing and in Perfetto. One row a level, what happens inside below. */
import type { Span } from "../engine/measured.js"
import type { Timeline, TimelineKernel } from "./timeline.js"

/** A complete event: times in microseconds; `tid` is its row. */
export interface TraceEvent {
  readonly ph: "X"
  readonly name: string
  readonly cat: string
  readonly ts: number
  readonly dur: number
  readonly pid: number
  readonly tid: number
  readonly args: Readonly<Record<string, string>>
}

interface RowName {
  readonly ph: "M"
  readonly name: "thread_name" | "thread_sort_index"
  readonly pid: number
  readonly tid: number
  readonly args: Readonly<Record<string, string | number>>
}

export interface ChromeTrace {
  readonly displayTimeUnit: "ms"
  readonly traceEvents: ReadonlyArray<TraceEvent | RowName>
}

const process = 1

const event = (tid: number, cat: string, name: string, span: Span, args: TraceEvent["args"] = {}): TraceEvent => ({
  ph: "X",
  name,
  cat,
  ts: span.start * 1000,
  dur: span.duration * 1000,
  pid: process,
  tid,
  args,
})

/** Kernels that run one after the other in one node are one event of it; its own nodes come in the rows below. */
const nodeEvents = (
  kernels: ReadonlyArray<TimelineKernel>,
  level: number,
  firstRow: number,
): ReadonlyArray<TraceEvent> => {
  const events: Array<TraceEvent> = []
  for (let from = 0; from < kernels.length; ) {
    const name = kernels[from]!.path[level]
    let to = from + 1
    while (to < kernels.length && kernels[to]!.path[level] === name) to++
    if (name !== undefined) {
      const group = kernels.slice(from, to)
      const start = group[0]!.start
      const end = group.reduce((latest, one) => Math.max(latest, one.start + one.duration), start)
      const path = group[0]!.path.slice(0, level + 1).join(" > ")
      events.push(event(firstRow + level, "node", name, { start, duration: end - start }, { path }))
      events.push(...nodeEvents(group, level + 1, firstRow))
    }
    from = to
  }
  return events
}

export const chromeTrace = ({ name, call, inside, session, work, kernels }: Timeline): ChromeTrace => {
  const levels = kernels.reduce((most, { path }) => Math.max(most, path.length), 0)
  const above = ["call", "engine process", "session and engine work"]
  const rows = [...above, ...Array.from({ length: levels }, (_, i) => `nodes, level ${i + 1}`), "kernels"]
  return {
    displayTimeUnit: "ms",
    traceEvents: [
      ...rows.flatMap(
        (row, tid): ReadonlyArray<RowName> => [
          { ph: "M", name: "thread_name", pid: process, tid, args: { name: row } },
          { ph: "M", name: "thread_sort_index", pid: process, tid, args: { sort_index: tid } },
        ],
      ),
      event(0, "call", name, call),
      event(1, "engine", "engine process", inside),
      event(2, "engine", "session", session),
      ...work.map((one) => event(2, "engine", one.name, one)),
      ...nodeEvents(kernels, 0, above.length),
      ...kernels.map((kernel) =>
        event(rows.length - 1, "kernel", kernel.op, kernel, {
          node: kernel.name,
          path: kernel.path.join(" > "),
          provider: kernel.provider,
        }),
      ),
    ],
  }
}
