/** Which of a program's inputs are initializers of its model, for state that stays while the program runs many times. */
import type { Equation, Program, Value } from "../program/ir.js"

export interface Constants {
  /** The initializers that are yet to be added: the name of the input in whose place they are -> theirs. */
  readonly initializers: ReadonlyMap<string, string>
  /** The inputs that the model does not have. */
  readonly absent: ReadonlySet<string>
  /** What an equation reads at a place in the stead of an input; undefined where it reads the input. */
  readonly nameFor: (equation: Equation, place: number) => string | undefined
}

/** Whether an equation looks up rows of its input at a place. */
const looksUp = ({ op }: Equation, place: number): boolean => op === "GatherV2" && place === 0

/**
 * All that reads state of `slots` reads initializers. With `tables` who looks up rows of a table reads the input: nobody packs
 * it, so that as an initializer it would be in memory once more. A table that is multiplied too is both.
 * @param nameOf  the model's name for an input
 * @param tables  false for a GPU, to which an input would be moved in every run, and for a model that has to be whole
 */
export const constantsOf = (
  program: Program,
  slots: ReadonlyArray<string>,
  nameOf: (value: Value) => string,
  tables: boolean,
): Constants => {
  const initializers = new Map<string, string>()
  const absent = new Set<string>()
  const named = new Map<number, string>()
  const lookedUp = new Set<number>()
  for (const { slot, value } of program.inputs) {
    if (slot === null || !slots.includes(slot)) continue
    const uses = program.equations.flatMap((equation) =>
      equation.inputs.flatMap(({ id }, place) => (id === value.id ? [tables && looksUp(equation, place)] : [])),
    )
    const input = nameOf(value)
    const stays = uses.includes(true)
    if (stays) lookedUp.add(value.id)
    else absent.add(input)
    const read = uses.includes(false) || program.outputs.some((output) => output.value.id === value.id)
    if (stays && !read) continue
    const initializer = stays ? `${input}:constant` : input
    named.set(value.id, initializer)
    initializers.set(input, initializer)
  }
  return {
    initializers,
    absent,
    nameFor: (equation, place) => {
      const { id } = equation.inputs[place]!
      return lookedUp.has(id) && looksUp(equation, place) ? undefined : named.get(id)
    },
  }
}
