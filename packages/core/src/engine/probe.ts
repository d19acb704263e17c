/** A small program that an engine's provider must be able to run before the engine is said to be there. */
import { toOnnx } from "../onnx/lower.js"
import type { Program } from "../program/ir.js"

const size = 16
const shape = [size, size]
const value = (id: number) => ({ id, dtype: "float32", shape }) as const

const program: Program = {
  name: "probe",
  inputs: [{ name: "x", slot: null, value: value(0) }],
  constants: [],
  equations: [
    {
      op: "BatchMatMul",
      inputs: [value(0), value(0)],
      attrs: { transposeA: false, transposeB: false },
      outputs: [value(1)],
      path: "probe",
    },
  ],
  outputs: [{ name: "y", slot: null, value: value(1) }],
}

export interface Probe {
  readonly size: number
  /** The model in ONNX, as base64: `y = x · x` for a square matrix. */
  readonly model: string
}

export const probe = (): Probe => ({ size, model: Buffer.from(toOnnx(program)).toString("base64") })
