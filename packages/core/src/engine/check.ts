/** What is checked of a call before it reaches an engine: names, dtypes, shapes. All mismatches come in one error. */
import type { Executable, State, TensorFunction } from "../engine.js"
import { ShapeMismatch } from "../errors.js"
import { type HostTensors, type Specs, showSpec, sizeOf, spec, type TensorSpec } from "../tensor.js"

/** One thing that does not fit. */
interface Mismatch {
  readonly expected: string
  readonly received: string
}

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }

const sameSpec = (a: TensorSpec, b: TensorSpec): boolean =>
  a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((size, i) => size === b.shape[i])

/** Raises every mismatch found, one a line. */
const raise = (where: string, found: ReadonlyArray<Mismatch>, fix: string): ShapeMismatch | null =>
  found.length === 0
    ? null
    : new ShapeMismatch({
        where,
        expected: found.map(({ expected }) => expected).join("\n"),
        received: found.map(({ received }) => received).join("\n"),
        fix,
      })

const oneTensor = (
  name: string,
  wanted: TensorSpec,
  given: HostTensors[string] | undefined,
): ReadonlyArray<Mismatch> => {
  const expected = `${name} ${showSpec(wanted)}`
  if (given === undefined) return [{ expected, received: `${name} is missing` }]
  if (!sameSpec(wanted, given)) return [{ expected, received: `${name} ${showSpec(given)}` }]
  if (!(given.data instanceof arrays[given.dtype]) || given.data.length !== sizeOf(given.shape)) {
    return [{ expected, received: `${name} with ${given.data.length} elements in a ${given.data.constructor.name}` }]
  }
  return []
}

/** Exactly these tensors, no more and no fewer. */
const tensors = (kind: string, wanted: Specs, given: HostTensors): ReadonlyArray<Mismatch> => [
  ...Object.entries(wanted).flatMap(([name, want]) => oneTensor(`${kind}${name}`, want, given[name])),
  ...Object.keys(given)
    .filter((name) => wanted[name] === undefined)
    .map((name) => ({ expected: `no ${kind}${name}`, received: `${kind}${name} ${showSpec(given[name]!)}` })),
]

const slots = (
  wanted: TensorFunction["state"],
  given: Readonly<Record<string, State>>,
  known: (state: State) => boolean,
): ReadonlyArray<Mismatch> => [
  ...Object.entries(wanted).flatMap(([slot, specs]): ReadonlyArray<Mismatch> => {
    const state = given[slot]
    if (state === undefined) {
      const expected = `a state for the slot ${slot}`
      return Object.keys(specs).length === 0 ? [] : [{ expected, received: `no state for ${slot}` }]
    }
    if (!known(state)) return [{ expected: `a state of this engine for ${slot}`, received: "another engine's state" }]
    return Object.entries(specs).flatMap(([name, want]) => {
      const has = state.specs[name]
      const at = `${slot}/${name}`
      if (has === undefined) return [{ expected: `${at} ${showSpec(want)}`, received: `${at} is missing` }]
      return sameSpec(want, has) ? [] : [{ expected: `${at} ${showSpec(want)}`, received: `${at} ${showSpec(has)}` }]
    })
  }),
  ...Object.keys(given)
    .filter((slot) => wanted[slot] === undefined)
    .map((slot) => ({
      expected: `one of the slots ${Object.keys(wanted).join(", ") || "(none)"}`,
      received: `a state for ${slot}`,
    })),
]

/** Two slots of one state that both write one name would depend on their order. */
const conflicts = (
  given: Readonly<Record<string, State>>,
  written: ReadonlyArray<readonly [string, string]>,
): ReadonlyArray<Mismatch> =>
  written.flatMap(([slot, name], i) =>
    written
      .slice(0, i)
      .filter(([other, same]) => same === name && given[other] !== undefined && given[other] === given[slot])
      .map(([other]) => ({
        expected: `different states for ${other} and ${slot}, which both write ${name}`,
        received: "one state for both",
      })),
  )

const fix = "pass what the function declares: every input and slot, with these types"

/** What an engine knows of a function when it checks a call. */
export interface Signature extends Pick<TensorFunction, "name" | "state" | "inputs"> {
  /** Null where they are not known before the first run. */
  readonly outputs: Specs | null
  /** Slot and name of each tensor of the state that the function writes. */
  readonly written: ReadonlyArray<readonly [string, string]>
  readonly commitIf: string | null
}

type RunCall = Parameters<Executable["run"]>[0]
type LoopCall = Parameters<Executable["loop"]>[0]

export const checkRun = (
  { name, state, inputs, written }: Signature,
  call: RunCall,
  known: (state: State) => boolean,
): ShapeMismatch | null => {
  const given = call.state ?? {}
  return raise(
    name,
    [...slots(state, given, known), ...conflicts(given, written), ...tensors("", inputs, call.inputs)],
    fix,
  )
}

const pick = (specs: Specs, names: Iterable<string>): Specs =>
  Object.fromEntries([...names].flatMap((name) => (specs[name] === undefined ? [] : [[name, specs[name]]])))

export const checkLoop = (
  { name, state, inputs, outputs, written }: Signature,
  call: LoopCall,
  known: (state: State) => boolean,
): ShapeMismatch | null => {
  const given = call.state ?? {}
  const carry = Object.entries(call.carry ?? {})
  const carried = new Set(carry.map(([, input]) => input))
  const each = call.each ?? {}
  const stacked = Object.fromEntries(
    Object.entries(pick(inputs, Object.keys(each))).map(([input, { dtype, shape }]) => [
      input,
      spec(dtype, [call.steps, ...shape]),
    ]),
  )
  const rest = Object.keys(inputs).filter((input) => !carried.has(input) && each[input] === undefined)
  const counted: ReadonlyArray<Mismatch> =
    Number.isInteger(call.steps) && call.steps >= 0
      ? []
      : [{ expected: "a whole number of steps", received: `steps ${call.steps}` }]
  const wires = carry.flatMap(([output, input]): ReadonlyArray<Mismatch> => {
    const [from, to] = [outputs?.[output], inputs[input]]
    if (to === undefined) return [{ expected: "carry to an input", received: `${input}, which is no input` }]
    if (outputs === null) return []
    if (from === undefined) return [{ expected: "carry from an output", received: `${output}, which is no output` }]
    return sameSpec(from, to)
      ? []
      : [{ expected: `carry to ${input} ${showSpec(to)}`, received: `${output} ${showSpec(from)}` }]
  })
  const scratch = (call.scratch ?? [])
    .filter((slot) => state[slot] === undefined)
    .map((slot) => ({ expected: "scratch slots that are slots", received: `${slot}, which is none` }))
  const frozen = (call.constants ?? []).flatMap((slot): ReadonlyArray<Mismatch> => {
    if (state[slot] === undefined) return [{ expected: "constants that are slots", received: `${slot}, which is none` }]
    const own = given[slot]
    const shared = (at: string, name: string) =>
      own !== undefined && given[at] === own && state[slot]?.[name] !== undefined
    const changed = written.find(([at, name]) => at === slot || shared(at, name))
    return changed === undefined
      ? []
      : [{ expected: `a constant slot ${slot}`, received: `a function that writes ${changed.join("/")}` }]
  })
  const missing = call.collect
    .filter((output) => outputs !== null && outputs[output] === undefined)
    .map((output) => ({ expected: "collect of outputs", received: `${output}, which is no output` }))
  return raise(
    name,
    [
      ...counted,
      ...slots(state, given, known),
      ...conflicts(given, written),
      ...tensors("", pick(inputs, rest), call.inputs),
      ...tensors("each ", stacked, each),
      ...tensors("first ", pick(inputs, carried), call.first ?? {}),
      ...wires,
      ...frozen,
      ...scratch,
      ...missing,
    ],
    fix,
  )
}

/** The output that guards the commit must be a scalar bool. */
export const checkCommit = ({ name, outputs, commitIf }: Signature): ShapeMismatch | null => {
  if (commitIf === null) return null
  const given = outputs?.[commitIf]
  if (given !== undefined && sameSpec(given, spec("bool", []))) return null
  const received = given === undefined ? "no such output" : showSpec(given)
  const wanted = [{ expected: `commitIf ${commitIf} bool[]`, received }]
  return raise(name, wanted, "return it among the outputs as a scalar bool")
}

/** Values for a state: known names, their types. */
export const checkWrite = (specs: Specs, values: HostTensors): ShapeMismatch | null =>
  raise("state", tensors("", pick(specs, Object.keys(values)), values), "write values of the types of `specs`")

/** Names that a state does not hold. */
export const unknownNames = (specs: Specs, names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.filter((name) => specs[name] === undefined)

/** The types of tensors. */
export const specsOf = (values: HostTensors): Specs =>
  Object.fromEntries(Object.entries(values).map(([name, { dtype, shape }]) => [name, { dtype, shape }]))
