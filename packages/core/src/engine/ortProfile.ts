/** The profile that ONNX Runtime writes: Chrome trace events, in microseconds. */
import type { EngineKernel } from "./measured.js"

interface Event {
  readonly cat?: string
  readonly name?: string
  readonly ts: number
  readonly dur: number
  readonly args?: Readonly<Record<string, unknown>>
}

/** One run of a session. Times in milliseconds from its beginning. */
export interface OrtRun {
  readonly duration: number
  readonly starts: Float64Array
  readonly durations: Float64Array
}

export interface OrtProfile {
  readonly kernels: ReadonlyArray<EngineKernel>
  readonly runs: ReadonlyArray<OrtRun>
  readonly allocated: number | null
}

const suffix = "_kernel_time"

const text = (value: unknown): string => (typeof value === "string" ? value : "")

/** Every run of the session, in order, and the kernels in the order in which they first ran. */
export const readOrtProfile = (json: string): OrtProfile => {
  const events = JSON.parse(json) as ReadonlyArray<Event>
  const runs = events.filter(({ name }) => name === "model_run")
  const nodes = events.filter(({ cat, name }) => cat === "Node" && name?.endsWith(suffix))
  const places = new Map<string, number>()
  const kernels: Array<EngineKernel> = []
  for (const { name = "", args } of nodes) {
    if (places.has(name)) continue
    places.set(name, kernels.length)
    kernels.push({ name: name.slice(0, -suffix.length), op: text(args?.op_name), provider: text(args?.provider) })
  }
  const peaks = nodes.map(({ args }) => Number(args?.mem_in_use_peak)).filter(Number.isFinite)
  return {
    kernels,
    runs: runs.map(({ ts, dur }) => {
      const starts = new Float64Array(kernels.length)
      const durations = new Float64Array(kernels.length)
      for (const node of nodes) {
        if (node.ts < ts || node.ts > ts + dur) continue
        const place = places.get(node.name ?? "")!
        starts[place] = (node.ts - ts) / 1000
        durations[place]! += node.dur / 1000
      }
      return { duration: dur / 1000, starts, durations }
    }),
    allocated: peaks.length === 0 ? null : peaks.reduce((most, peak) => Math.max(most, peak), 0),
  }
}
