/**
 * State that a program changes by rows: a cache of which every step writes one position.
 *
 * ONNX Runtime returns a new table for the old one, all of it copied (and once more on its way into JavaScript). Where a
 * state's next value is `TensorScatterUpdate` of its own present value, the program can return the rows alone, and the
 * engine writes them.
 */
import type { Equation, Program, ProgramOutput, Value } from "../program/ir.js"
import { prune } from "../program/passes/rewrite.js"
import { sizeOf } from "../tensor.js"
import { unusedName } from "./unusedName.js"

/** One state tensor, and which outputs of the program say what becomes of its rows. */
export interface RowUpdate {
  readonly slot: string
  readonly name: string
  /** Names of the outputs. */
  readonly rows: string
  readonly values: string
}

export interface ByRows {
  /** The program with outputs for the rows in the place of the tables; all other outputs come first, in their order. */
  readonly program: Program
  readonly updates: ReadonlyArray<RowUpdate>
}

/** The value that a value is another shape of. */
const flattened = (value: Value, producers: ReadonlyMap<number, Equation>): Value => {
  const made = producers.get(value.id)
  return made?.op === "Reshape" ? flattened(made.inputs[0]!, producers) : value
}

/** The scatter of rows that makes an output from the present value of the same state, in whatever shapes. */
const scatterOf = (
  { slot, name, value }: ProgramOutput,
  program: Program,
  producers: ReadonlyMap<number, Equation>,
): Equation | null => {
  const made = producers.get(flattened(value, producers).id)
  if (slot === null || made?.op !== "TensorScatterUpdate") return null
  const [table, indices] = made.inputs
  const source = flattened(table!, producers)
  const own = program.inputs.some((input) => input.slot === slot && input.name === name && input.value.id === source.id)
  return own && indices?.shape.at(-1) === 1 && sizeOf(indices.shape) > 0 ? made : null
}

/** The program as an engine runs it that writes rows by itself. */
export const byRows = (program: Program): ByRows => {
  const producers = new Map(program.equations.flatMap((made) => made.outputs.map(({ id }) => [id, made] as const)))
  const scatters = program.outputs.map((output) => scatterOf(output, program, producers))
  if (scatters.every((made) => made === null)) return { program, updates: [] }

  const outputs = program.outputs.filter((_, i) => scatters[i] === null)
  const names = new Map<number, string>()
  const nameOf = (value: ProgramOutput["value"], wanted: string): string => {
    const known = names.get(value.id)
    if (known !== undefined) return known
    const name = unusedName(program, wanted)
    names.set(value.id, name)
    outputs.push({ name, slot: null, value })
    return name
  }
  const updates = program.outputs.flatMap(({ slot, name }, i): ReadonlyArray<RowUpdate> => {
    const made = scatters[i]
    if (made === null || made === undefined || slot === null) return []
    const [, rows, values] = made.inputs
    const label = `${slot}/${name}`
    return [
      {
        slot,
        name,
        rows: nameOf(flattened(rows!, producers), `${label}:rows`),
        values: nameOf(flattened(values!, producers), `${label}:values`),
      },
    ]
  })
  return { program: prune({ ...program, outputs }), updates }
}
