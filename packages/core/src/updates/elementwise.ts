/**
 * State that a program changes element by element: parameters and moments under an optimiser, averages of weights.
 *
 * Written as kernels, an update of AdamW reads and writes memory a dozen times, and ONNX Runtime returns all of the new
 * state. Where a state's next value is an elementwise expression, the program can return what the expression reads (the
 * gradient, a few scalars), and the engine computes it in one pass, in place.
 */
import type { Equation, Program, ProgramOutput, Value } from "../program/ir.js"
import { prune, sameShape } from "../program/passes/rewrite.js"
import { sizeOf } from "../tensor.js"
import { type Expression, isUpdateOperation, type Operand } from "./kernel.js"
import { unusedName } from "./unusedName.js"

/** A tensor that an update reads: state, which it may overwrite, or an output of the program. */
export type UpdateTensor = { readonly slot: string; readonly name: string } | { readonly output: string }

/** One expression over tensors of one shape. */
export interface ElementwiseUpdate {
  readonly shape: ReadonlyArray<number>
  readonly tensors: ReadonlyArray<UpdateTensor>
  /** Outputs of the program with one element each. */
  readonly scalars: ReadonlyArray<string>
  readonly expression: Expression
}

export interface ByElements {
  /** The program without the updates; all outputs that remain come first, in their order. */
  readonly program: Program
  readonly updates: ReadonlyArray<ElementwiseUpdate>
}

/** What the tensors of one update may take together, in bytes: they share a memory of WebAssembly, which ends at 4 GiB. */
const largest = 2 ** 32 - 2 ** 20

const isScalar = ({ shape }: Value): boolean => sizeOf(shape) === 1

const couldUpdate = ({ op, inputs, outputs: [out] }: Equation): boolean =>
  isUpdateOperation(op) &&
  out!.dtype === "float32" &&
  sizeOf(out!.shape) > 1 &&
  inputs.every((value) => value.dtype === "float32" && (isScalar(value) || sameShape(value.shape, out!.shape)))

/** The equations that decide nothing but elementwise next values of state. */
const updating = ({ equations, outputs }: Program): ReadonlySet<Equation> => {
  const readers = new Map<number, Array<Equation>>()
  for (const equation of equations) {
    for (const { id } of equation.inputs) {
      const known = readers.get(id)
      if (known === undefined) readers.set(id, [equation])
      else known.push(equation)
    }
  }
  const returned = new Set(outputs.filter(({ slot }) => slot === null).map(({ value }) => value.id))
  const found = new Set<Equation>()
  for (const equation of equations.toReversed()) {
    const { id } = equation.outputs[0]!
    if (!couldUpdate(equation) || returned.has(id)) continue
    if ((readers.get(id) ?? []).every((reader) => found.has(reader))) found.add(equation)
  }
  return found
}

/** Sets that grow together. */
const makeGroups = () => {
  const parents = new Map<string, string>()
  const root = (key: string): string => {
    const parent = parents.get(key)
    if (parent === undefined || parent === key) return key
    const top = root(parent)
    parents.set(key, top)
    return top
  }
  return { root, join: (a: string, b: string) => parents.set(root(a), root(b)) }
}

/** Everything that one update needs while it is put together. */
interface Draft {
  readonly equations: ReadonlyArray<Equation>
  readonly targets: ReadonlyArray<ProgramOutput>
}

/** The program as an engine runs it that updates state by itself. */
export const byElements = (program: Program): ByElements => {
  const found = updating(program)
  const makers = new Map([...found].map((equation) => [equation.outputs[0]!.id, equation]))
  const targets = program.outputs.filter(({ slot, value }) => slot !== null && makers.has(value.id))
  const states = new Map(
    program.inputs.flatMap(({ slot, name, value }) => (slot === null ? [] : [[value.id, { slot, name }] as const])),
  )
  // What shares a value is one update, and so is what reads a state that another one writes.
  const { root, join } = makeGroups()
  for (const { inputs, outputs } of found) {
    for (const { id } of inputs) {
      const state = states.get(id)
      if (makers.has(id)) join(`${outputs[0]!.id}`, `${id}`)
      else if (state !== undefined) join(`${outputs[0]!.id}`, `${state.slot}/${state.name}`)
    }
  }
  for (const { slot, name, value } of targets) join(`${value.id}`, `${slot}/${name}`)
  const drafts = new Map<string, { equations: Array<Equation>; targets: Array<ProgramOutput> }>()
  const draftOf = (value: Value) => {
    const key = root(`${value.id}`)
    const draft = drafts.get(key) ?? { equations: [], targets: [] }
    drafts.set(key, draft)
    return draft
  }
  for (const equation of program.equations) {
    if (found.has(equation)) draftOf(equation.outputs[0]!).equations.push(equation)
  }
  for (const target of targets) draftOf(target.value).targets.push(target)

  const constants = new Map(program.constants.map(({ value, tensor }) => [value.id, tensor]))
  const labels = new Map<number, { label: string; value: Value }>()
  const labelOf = (value: Value): string => {
    const known = labels.get(value.id)
    if (known !== undefined) return known.label
    const label = unusedName(program, `update.${labels.size}`)
    labels.set(value.id, { label, value })
    return label
  }

  const build = ({ equations, targets }: Draft): ElementwiseUpdate | null => {
    const { shape } = equations[0]!.outputs[0]!
    const own = new Set(targets.map(({ slot, name }) => `${slot}/${name}`))
    const foreign = (id: number): boolean => {
      const state = states.get(id)
      return state !== undefined && !own.has(`${state.slot}/${state.name}`)
    }
    const whole = equations.flatMap(({ inputs }) => inputs.filter((value) => !isScalar(value) && !makers.has(value.id)))
    if (targets.length === 0 || equations.some(({ outputs }) => !sameShape(outputs[0]!.shape, shape))) return null
    const most = new Set(whole.map(({ id }) => id)).size + targets.length
    if (4 * sizeOf(shape) * most > largest) return null
    // State that the update does not write stays where it is, and constants are part of the model.
    if (whole.some(({ id }) => foreign(id) || constants.has(id))) return null

    const tensors: Array<UpdateTensor> = []
    const scalars: Array<string> = []
    const places = new Map<string, number>()
    const tensorAt = (key: string, tensor: UpdateTensor): number => {
      const known = places.get(key) ?? tensors.push(tensor) - 1
      places.set(key, known)
      return known
    }
    const stateAt = (state: { slot: string; name: string }): number => tensorAt(`${state.slot}/${state.name}`, state)
    const results = new Map(equations.map(({ outputs }, i) => [outputs[0]!.id, i]))
    const operand = (value: Value): Operand => {
      const result = results.get(value.id)
      if (result !== undefined) return { result }
      const constant = constants.get(value.id)
      if (constant !== undefined) return { constant: constant.data[0]! }
      if (!isScalar(value)) {
        const state = states.get(value.id)
        if (state !== undefined) return { tensor: stateAt(state) }
        const output = labelOf(value)
        return { tensor: tensorAt(`:${output}`, { output }) }
      }
      const label = labelOf(value)
      const known = scalars.indexOf(label)
      return { scalar: known >= 0 ? known : scalars.push(label) - 1 }
    }
    const operations = equations.map(({ op, inputs }) => ({ op, operands: inputs.map(operand) }))
    const stores = targets.map(({ slot, name, value }) => ({
      tensor: stateAt({ slot: slot!, name }),
      value: operand(value),
    }))
    return {
      shape,
      tensors,
      scalars,
      expression: { tensors: tensors.length, scalars: scalars.length, operations, stores },
    }
  }

  const updates: Array<ElementwiseUpdate> = []
  const done = new Set<ProgramOutput>()
  for (const draft of drafts.values()) {
    const update = build(draft)
    if (update === null) continue
    updates.push(update)
    for (const target of draft.targets) done.add(target)
  }
  if (updates.length === 0) return { program, updates }
  const rest = program.outputs.filter((output) => !done.has(output))
  const read = [...labels.values()].map(({ label, value }): ProgramOutput => ({ name: label, slot: null, value }))
  return { program: prune({ ...program, outputs: [...rest, ...read] }), updates }
}
