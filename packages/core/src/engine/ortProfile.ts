/**
 * The profile that ONNX Runtime writes: Chrome trace events, in microseconds. A kernel on a GPU has an event for when it
 * was handed over, and events `node&operator&shader` for when the GPU ran it, which are what counts.
 */
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
const cpu = "CPUExecutionProvider"

/** The node that a shader ran for. */
const shaderNode = (name: string): string => name.split("&").slice(0, -2).join("&")

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
  const shaders = events.filter(({ cat }) => cat === "Api")
  const peaks = nodes.map(({ args }) => Number(args?.mem_in_use_peak)).filter(Number.isFinite)
  return {
    kernels,
    runs: runs.map((run) => {
      const during = ({ ts }: Event): boolean => ts >= run.ts && ts <= run.ts + run.dur
      const starts = new Float64Array(kernels.length)
      const durations = new Float64Array(kernels.length)
      const add = (place: number | undefined, { ts, dur }: Event): void => {
        if (place === undefined) return
        starts[place] = durations[place] === 0 ? (ts - run.ts) / 1000 : starts[place]!
        durations[place]! += dur / 1000
      }
      const onGpu = shaders.filter(during)
      for (const node of nodes.filter(during)) {
        // Beside a GPU's own times, what the CPU did for its kernels is the session's.
        if (onGpu.length === 0 || node.args?.provider === cpu) add(places.get(node.name ?? ""), node)
      }
      for (const shader of onGpu) add(places.get(shaderNode(shader.name ?? "") + suffix), shader)
      return { duration: run.dur / 1000, starts, durations }
    }),
    // It tells of the CPU's allocator alone.
    allocated: peaks.length === 0 || shaders.length > 0 ? null : peaks.reduce((most, peak) => Math.max(most, peak), 0),
  }
}
