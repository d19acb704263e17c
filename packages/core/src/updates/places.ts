/**
 * State that a program changes in place: the caches of `cachedAttention`.
 *
 * ONNX Runtime's GroupQueryAttention writes new positions into the tables that it reads where they are given as its outputs
 * too, and reads no more of them than has been written. Every other program gets the operation in plain kernels.
 */

import { cachedAttentionMeaning } from "../program/cachedAttention.js"
import { captureSync } from "../program/capture.js"
import type { Equation, Program, ProgramOutput, Value } from "../program/ir.js"
import { type Rule, rewrite } from "../program/passes/rewrite.js"

/** A state tensor that is input and output of the program in one buffer. */
export interface PlaceUpdate {
  readonly slot: string
  readonly name: string
}

export interface InPlace {
  /** The program with `CachedAttentionInPlace` wherever it is possible. */
  readonly program: Program
  readonly updates: ReadonlyArray<PlaceUpdate>
}

/** How ONNX Runtime divides the width of a head. */
const headMultiple = 8

/** The state that a table is and becomes, where the equation alone reads the old value and nothing reads the new one. */
const stateOf = (table: Value, next: Value, { inputs, outputs, equations }: Program): PlaceUpdate | null => {
  const from = inputs.find(({ value }) => value.id === table.id)
  const to = outputs.filter(({ value }) => value.id === next.id || value.id === table.id)
  const own = (output: ProgramOutput): boolean =>
    output.value.id === next.id && output.slot === from?.slot && output.name === from?.name
  const reads = equations.flatMap((equation) => equation.inputs).filter(({ id }) => id === table.id || id === next.id)
  if (from === undefined || from.slot === null || to.length !== 1 || !own(to[0]!) || reads.length !== 1) return null
  return { slot: from.slot, name: from.name }
}

/** The program as an engine runs it that can give one buffer as an input and as an output. */
export const inPlace = (program: Program): InPlace => {
  const updates: Array<PlaceUpdate> = []
  const placed = (equation: Equation): Equation => {
    const [, keys, values] = equation.inputs
    if (equation.op !== "CachedAttention" || keys!.shape[3]! % headMultiple !== 0) return equation
    const found = [stateOf(keys!, equation.outputs[1]!, program), stateOf(values!, equation.outputs[2]!, program)]
    // Keys and values are written in place both or neither.
    if (found.some((update) => update === null)) return equation
    updates.push(...found.flatMap((update) => update ?? []))
    return { ...equation, op: "CachedAttentionInPlace" }
  }
  const equations = program.equations.map(placed)
  return updates.length === 0 ? { program, updates } : { program: { ...program, equations }, updates }
}

const inline: Rule = (equation, { fresh, fold }) => {
  if (equation.op !== "CachedAttention") return null
  const names = ["qkv", "keys", "values", "lengths"].slice(0, equation.inputs.length)
  const part = captureSync({
    name: equation.op,
    state: {},
    inputs: Object.fromEntries(names.map((name, i) => [name, equation.inputs[i]!])),
    body: (_, given) => {
      const made = cachedAttentionMeaning(names.map((name) => given[name]!))
      return { outputs: Object.fromEntries(made.map((tensor, i) => [String(i), tensor])) }
    },
  })
  const values = new Map(part.constants.map(({ value, tensor }) => [value.id, fold(tensor)]))
  for (const { name, value } of part.inputs) values.set(value.id, equation.inputs[names.indexOf(name)]!)
  for (const { name, value } of part.outputs) values.set(value.id, equation.outputs[Number(name)]!)
  const known = (value: Value): Value => {
    const found = values.get(value.id) ?? fresh(value)
    values.set(value.id, found)
    return found
  }
  return {
    equations: part.equations.map((made) => ({
      ...made,
      inputs: made.inputs.map(known),
      outputs: made.outputs.map(known),
      path: equation.path,
    })),
  }
}

/** The program with attention over a cache in plain kernels. */
export const writtenOut = (program: Program): Program => rewrite(program, inline)
