/** Rewriting a program equation by equation, in order. Every pass is a rule for this walk. */
import type { HostTensor, TensorSpec } from "../../tensor.js"
import type { Constant, Equation, Program, Value } from "../ir.js"

/** What a rule may ask about the values before an equation, and make. */
export interface Scope {
  /** The equation that makes a value; undefined for inputs and constants. */
  readonly producer: (value: Value) => Equation | undefined
  readonly constant: (value: Value) => HostTensor | undefined
  /** The one number that all elements of a value are, where that is known. */
  readonly uniform: (value: Value) => number | undefined
  /** True where one equation and no output reads the value. */
  readonly once: (value: Value) => boolean
  readonly fresh: (spec: TensorSpec) => Value
  readonly fold: (tensor: HostTensor) => Value
}

/**
 * What becomes of an equation: it stays (null), its outputs are values that exist already (`values`, of the same types),
 * or other equations make its outputs.
 */
export type Rewrite = null | { readonly values: ReadonlyArray<Value> } | { readonly equations: ReadonlyArray<Equation> }

export type Rule = (equation: Equation, scope: Scope) => Rewrite

export const sameShape = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i])

/** A program without the equations and constants that no output needs; the same object where all are needed. */
export const prune = (program: Program): Program => {
  const needed = new Set(program.outputs.map(({ value }) => value.id))
  const equations: Array<Equation> = []
  for (const equation of program.equations.toReversed()) {
    if (!equation.outputs.some(({ id }) => needed.has(id))) continue
    for (const { id } of equation.inputs) needed.add(id)
    equations.push(equation)
  }
  const constants = program.constants.filter(({ value }) => needed.has(value.id))
  if (equations.length === program.equations.length && constants.length === program.constants.length) return program
  return { ...program, constants, equations: equations.reverse() }
}

/** Values numbered in order: inputs, constants, equations. */
const renumber = (program: Program): Program => {
  const values = new Map<number, Value>()
  const define = (value: Value): Value => {
    const next = { ...value, id: values.size }
    values.set(value.id, next)
    return next
  }
  const use = (value: Value): Value => values.get(value.id) ?? value
  return {
    name: program.name,
    inputs: program.inputs.map((input) => ({ ...input, value: define(input.value) })),
    constants: program.constants.map((constant) => ({ ...constant, value: define(constant.value) })),
    equations: program.equations.map((equation) => ({
      ...equation,
      inputs: equation.inputs.map(use),
      outputs: equation.outputs.map(define),
    })),
    outputs: program.outputs.map((output) => ({ ...output, value: use(output.value) })),
  }
}

const uniformOf = (tensor: HostTensor | undefined): number | undefined => {
  const first = tensor?.data[0]
  return first !== undefined && tensor!.data.every((v: number) => Object.is(v, first)) ? first : undefined
}

/** A program with a rule applied to every equation, pruned; the same object where nothing changed. */
export const rewrite = (program: Program, rule: Rule): Program => {
  const instead = new Map<number, Value>()
  const producers = new Map<number, Equation>()
  const constants = new Map<number, Constant>(program.constants.map((c) => [c.value.id, c]))
  const uniforms = new Map<number, number | undefined>()
  const uses = new Map<number, number>()
  const reads = [...program.equations.flatMap(({ inputs }) => inputs)]
  for (const { id } of reads) uses.set(id, (uses.get(id) ?? 0) + 1)
  // An output counts twice: its value must exist whatever happens to its readers.
  for (const { value } of program.outputs) uses.set(value.id, (uses.get(value.id) ?? 0) + 2)
  let next = 1 + Math.max(-1, ...[...reads, ...program.equations.flatMap(({ outputs }) => outputs)].map(({ id }) => id))
  next = Math.max(next, ...[...program.inputs, ...program.constants].map(({ value }) => value.id + 1), 0)
  let changed = false

  const scope: Scope = {
    producer: ({ id }) => producers.get(id),
    constant: ({ id }) => constants.get(id)?.tensor,
    uniform: ({ id }) => {
      const made = producers.get(id)
      if (made?.op === "Fill" && typeof made.attrs.value === "number") return made.attrs.value
      if (!uniforms.has(id)) uniforms.set(id, uniformOf(constants.get(id)?.tensor))
      return uniforms.get(id)
    },
    once: ({ id }) => (uses.get(id) ?? 0) <= 1,
    fresh: ({ dtype, shape }) => ({ id: next++, dtype, shape }),
    fold: (tensor) => {
      const value = scope.fresh(tensor)
      constants.set(value.id, { value, tensor })
      return value
    },
  }
  const settle = (value: Value): Value => instead.get(value.id) ?? value
  const equations: Array<Equation> = []
  const emit = (equation: Equation): void => {
    equations.push(equation)
    for (const { id } of equation.outputs) producers.set(id, equation)
  }
  for (const original of program.equations) {
    const inputs = original.inputs.map(settle)
    const equation = inputs.every((value, i) => value === original.inputs[i]) ? original : { ...original, inputs }
    const result = rule(equation, scope)
    if (result === null) {
      emit(equation)
      continue
    }
    changed = true
    if ("equations" in result) {
      const before = new Set(equation.inputs.map(({ id }) => id))
      for (const made of result.equations) {
        for (const { id } of made.inputs) if (!before.has(id)) uses.set(id, (uses.get(id) ?? 0) + 1)
        emit(made)
      }
      continue
    }
    equation.outputs.forEach((output, i) => {
      const value = result.values[i]!
      instead.set(output.id, value)
      uses.set(value.id, (uses.get(value.id) ?? 0) + (uses.get(output.id) ?? 0))
    })
  }
  const pruned = prune({
    ...program,
    constants: [...constants.values()],
    equations,
    outputs: program.outputs.map((output) => ({ ...output, value: settle(output.value) })),
  })
  const fewer = pruned.equations.length < program.equations.length || pruned.constants.length < program.constants.length
  return changed || fewer ? renumber(pruned) : program
}
