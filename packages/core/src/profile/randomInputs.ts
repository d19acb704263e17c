/** Random inputs for a program: of the declared types, and numbers that it can index with where it does. */
import type { Equation, Program } from "../program/ir.js"
import { integers } from "../random/integers.js"
import { keyFromSeed, split } from "../random/key.js"
import { uniform } from "../random/uniform.js"
import { float32, type HostTensor, type HostTensors, int32, type Specs, sizeOf } from "../tensor.js"

/** Kernels whose results are the elements of their operands in other places. */
const moves = new Set(
  "Reshape ExpandDims Transpose Slice StridedSlice SplitV Concat Pack Unpack Tile Identity Cast Reverse GatherV2".split(
    " ",
  ),
)

/** How many rows an operand may name; undefined where it names none. */
const rowsNamed = ({ op, inputs, attrs }: Equation, operand: number): number | undefined => {
  switch (op) {
    case "GatherV2":
      return operand === 1 ? inputs[0]!.shape[Number(attrs.axis)] : undefined
    case "OneHot":
      return Number(attrs.depth)
    case "EmbedGrad":
      return operand === 0 ? Number(attrs.vocabulary) : undefined
    case "UnsortedSegmentSum":
      return operand === 1 ? Number(attrs.numSegments) : undefined
    case "TensorScatterUpdate":
      return operand === 1 ? inputs[0]!.shape[0] : undefined
    default:
      return undefined
  }
}

/** An int32 input is below what it indexes; one of which nothing is known is 0 or 1, which is safe nearly everywhere. */
const unknownBound = 2

/** Below which number each int32 input of a program must stay, by value. */
const bounds = (program: Program): ReadonlyMap<number, number> => {
  const found = new Map<number, number>()
  const origins = new Map<number, ReadonlySet<number>>(
    program.inputs.filter(({ value }) => value.dtype === "int32").map(({ value }) => [value.id, new Set([value.id])]),
  )
  for (const equation of program.equations) {
    equation.inputs.forEach(({ id }, operand) => {
      const rows = rowsNamed(equation, operand)
      if (rows === undefined) return
      for (const origin of origins.get(id) ?? []) found.set(origin, Math.min(rows, found.get(origin) ?? rows))
    })
    if (!moves.has(equation.op)) continue
    const moved = equation.op === "GatherV2" ? equation.inputs.slice(0, 1) : equation.inputs
    const from = new Set(moved.flatMap(({ id }) => [...(origins.get(id) ?? [])]))
    if (from.size > 0) for (const { id } of equation.outputs) origins.set(id, from)
  }
  return found
}

/**
 * float32 in [0, 1), int32 below what the program indexes with them, bool all true. The same at every call.
 * @param program  what is run; null where an engine does not say
 */
export const randomInputs = (inputs: Specs, program: Program | null): HostTensors => {
  const known = program === null ? new Map<number, number>() : bounds(program)
  const boundOf = (name: string): number => {
    const input = program?.inputs.find((one) => one.slot === null && one.name === name)
    return (input === undefined ? undefined : known.get(input.value.id)) ?? unknownBound
  }
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, shape }]): [string, HostTensor] => {
      const key = split(keyFromSeed(0), name)
      if (dtype === "float32") return [name, float32(shape, uniform(key, shape).data)]
      if (dtype === "int32") return [name, int32(shape, integers(key, shape, 0, boundOf(name)).data)]
      return [name, { dtype, shape, data: new Uint8Array(sizeOf(shape)).fill(1) }]
    }),
  )
}

/** Random state: small float32 on both sides of zero, all else 0. */
export const randomState = (specs: Specs, slot: string): HostTensors =>
  Object.fromEntries(
    Object.entries(specs).map(([name, { dtype, shape }]): [string, HostTensor] => {
      if (dtype === "int32") return [name, int32(shape, new Int32Array(sizeOf(shape)))]
      if (dtype === "bool") return [name, { dtype, shape, data: new Uint8Array(sizeOf(shape)) }]
      const drawn = uniform(split(keyFromSeed(0), `${slot}/${name}`), shape).data
      return [
        name,
        float32(
          shape,
          drawn.map((u) => (u - 0.5) / 10),
        ),
      ]
    }),
  )
