/** What an engine measures while it runs a program: plain data, times in milliseconds. */

/** From when, counted from the beginning of the call inside the engine, and for how long. */
export interface Span {
  readonly start: number
  readonly duration: number
}

/** A kernel as the engine runs it; an engine may have fused several of a program's into one. */
export interface EngineKernel {
  /** `policy/blocks.0/MatMul`: the path and operator of the node that it was written as, perhaps with more behind it. */
  readonly name: string
  readonly op: string
  /** What ran it: `CPUExecutionProvider`. */
  readonly provider: string
}

/** Work of the engine itself, outside of the runtime's session. */
export interface EngineWork extends Span {
  readonly name: string
}

/** One call, seen from inside the engine. */
export interface EngineCall {
  readonly inside: number
  readonly session: Span
  readonly work: ReadonlyArray<EngineWork>
  /** One number for each of `kernels`, in their order. */
  readonly starts: Float64Array
  readonly durations: Float64Array
}

export interface EngineTrace {
  /** In the order in which they run. */
  readonly kernels: ReadonlyArray<EngineKernel>
  readonly calls: ReadonlyArray<EngineCall>
  /** Bytes of the engine's process that were resident before profiling began. */
  readonly resident: number
  /** Most bytes that the runtime's allocator had given out during a call; null where it does not say. */
  readonly allocated: number | null
}

/** One call with its duration as the caller sees it. */
export interface MeasuredCall extends EngineCall {
  readonly total: number
}

export interface Measured extends Omit<EngineTrace, "calls"> {
  readonly calls: ReadonlyArray<MeasuredCall>
  /** Durations of as many calls with nothing recorded. */
  readonly unprofiled: ReadonlyArray<number>
}

/** How many calls are measured, after how many that do not count. */
export interface Rounds {
  readonly warmup: number
  readonly runs: number
}
