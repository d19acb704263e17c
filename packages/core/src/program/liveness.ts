/** How much memory a program's values take, from when each is made until it is last read. */
import { type DType, sizeOf, type TensorSpec } from "../tensor.js"
import type { Equation, Program } from "./ir.js"

const elementBytes: Readonly<Record<DType, number>> = { float32: 4, int32: 4, bool: 1 }

export const bytesOf = ({ dtype, shape }: TensorSpec): number => elementBytes[dtype] * sizeOf(shape)

/** Kernels whose result is their first operand under another shape: no memory of its own. */
const views = new Set(["Reshape", "ExpandDims", "Identity"])

export interface Liveness {
  /** Bytes of what each equation makes, 0 for views. */
  readonly made: ReadonlyArray<number>
  /** Bytes of what equations have made and some later equation or output reads, at the equation where they are most. */
  readonly peak: number
  /** The place of that equation; −1 where there are none. */
  readonly peakAt: number
  /** Bytes that each equation has made of those that live at the peak. */
  readonly atPeak: ReadonlyArray<number>
  /** Bytes of state, inputs and constants: there all the time. */
  readonly held: number
}

/**
 * Memory over the schedule of the equations as they stand. Operands and results of an equation live together: that an
 * engine may write a result over an operand is not counted on.
 */
export const liveness = (program: Program): Liveness => {
  const { equations } = program
  // The equation that made the memory behind a value.
  const makers = new Map<number, number>()
  const isView = ({ op, inputs }: Equation): boolean => views.has(op) && inputs.length > 0
  const made = equations.map((equation, place) => {
    for (const { id } of equation.outputs) {
      const behind = isView(equation) ? makers.get(equation.inputs[0]!.id) : place
      if (behind !== undefined) makers.set(id, behind)
    }
    return isView(equation) ? 0 : equation.outputs.reduce((bytes, value) => bytes + bytesOf(value), 0)
  })
  // Several outputs of one equation count as one: until the last of them has been read.
  const until = equations.map((_, place) => place)
  equations.forEach(({ inputs }, place) => {
    for (const { id } of inputs) {
      const maker = makers.get(id)
      if (maker !== undefined) until[maker] = place
    }
  })
  for (const { value } of program.outputs) {
    const maker = makers.get(value.id)
    if (maker !== undefined) until[maker] = equations.length
  }
  const freed = new Map<number, number>()
  until.forEach((last, place) => {
    freed.set(last, (freed.get(last) ?? 0) + made[place]!)
  })
  let [live, peak, peakAt] = [0, 0, -1]
  made.forEach((bytes, place) => {
    live += bytes
    if (live > peak) [peak, peakAt] = [live, place]
    live -= freed.get(place) ?? 0
  })
  return {
    made,
    peak,
    peakAt,
    atPeak: made.map((bytes, place) => (place <= peakAt && until[place]! >= peakAt ? bytes : 0)),
    held: [...program.inputs, ...program.constants].reduce((bytes, { value }) => bytes + bytesOf(value), 0),
  }
}
