import type { RunRecord } from "./record.js"

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** On what a run was run: `onnxruntime-node 1.30.0 cpu, avx2, 2 threads`. What its record does not tell is left out. */
export const placeText = ({ engine, cpu, threads }: RunRecord["environment"]): string =>
  [
    String(engine),
    ...(isRecord(cpu) && typeof cpu.instructions === "string" ? [cpu.instructions] : []),
    ...(typeof threads === "number" ? [threads === 1 ? "1 thread" : `${threads} threads`] : []),
  ].join(", ")
