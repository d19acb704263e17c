/** Calls of a tensor function's body on the active tfjs backend: tensors in, tensors out, state in a transaction. */
import * as tf from "@tensorflow/tfjs-core"
import type { Executable, TensorFunction, Tensors } from "../engine.js"
import { ShapeMismatch } from "../errors.js"
import { type DType, type HostTensor, type HostTensors, showSpec, sizeOf, type TensorSpec } from "../tensor.js"
import type { Cells, Transaction } from "./transaction.js"

export const mapValues = <A, B>(
  record: Readonly<Record<string, A>>,
  to: (value: A, name: string) => B,
): Record<string, B> => Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value, name)]))

const empty = ({ dtype, shape }: TensorSpec): HostTensor => {
  const size = sizeOf(shape)
  const data =
    dtype === "float32" ? new Float32Array(size) : dtype === "int32" ? new Int32Array(size) : new Uint8Array(size)
  return { dtype, shape, data }
}

/** Copies in: a tfjs tensor may keep the array that it is given. */
export const upload = ({ dtype, shape, data }: HostTensor): tf.Tensor => tf.tensor(data.slice(), [...shape], dtype)

const specOf = ({ dtype, shape }: tf.Tensor): TensorSpec => ({ dtype: dtype as DType, shape })

/** Copies out: a backend may hand out the array that it keeps. */
export const download = (tensor: tf.Tensor): HostTensor => {
  const copy = empty(specOf(tensor))
  copy.data.set(tensor.dataSync())
  return copy
}

const slice = ({ dtype, shape: [, ...shape], data }: HostTensor, i: number): HostTensor => {
  const size = sizeOf(shape)
  return { dtype, shape, data: data.subarray(i * size, (i + 1) * size) }
}

const stack = ({ dtype, shape }: TensorSpec, rows: ReadonlyArray<HostTensor>): HostTensor => {
  const whole = empty({ dtype, shape: [rows.length, ...shape] })
  rows.forEach((row, i) => {
    whole.data.set(row.data, i * sizeOf(shape))
  })
  return whole
}

/** The body's new state, kept beyond the tensors of the call. */
const keptState = (fn: TensorFunction, written: Readonly<Record<string, Tensors>>): Record<string, Tensors> =>
  mapValues(written, (tensors, slot) =>
    mapValues(tensors, (tensor, name) => {
      const wanted = fn.state[slot]?.[name]
      const made = showSpec(specOf(tensor))
      if (wanted === undefined || showSpec(wanted) !== made) {
        const expected = wanted === undefined ? "names that the function declares" : showSpec(wanted)
        throw new ShapeMismatch({
          where: fn.name,
          expected: `new state ${slot}/${name}: ${expected}`,
          received: made,
          fix: "declare it in `state`, or return what is declared",
        })
      }
      // A clone has its own handle: the body may return a tensor of the state, or one tensor twice.
      return tf.keep(tensor.clone())
    }),
  )

/** What one call made, and which tensors of the state the function writes. */
export interface Made {
  readonly outputs: HostTensors
  readonly written: ReadonlyArray<readonly [slot: string, name: string]>
}

/** One call of the body. New state goes into the transaction, unless the function refuses it. */
export const step = (
  fn: TensorFunction,
  slots: Readonly<Record<string, Cells>>,
  inputs: HostTensors,
  { get, put }: Transaction,
): Made => {
  tf.engine().startScope()
  try {
    const state = mapValues(fn.state, (specs, slot) => mapValues(specs, (_, name) => get(slots[slot]!, name)))
    const result = fn.body(state, mapValues(inputs, upload))
    const outputs = mapValues(result.outputs, download)
    const written = Object.entries(result.state ?? {}).flatMap(([slot, tensors]) =>
      Object.keys(tensors).map((name) => [slot, name] as const),
    )
    if (fn.commitIf !== undefined) {
      const guard = outputs[fn.commitIf]
      if (guard === undefined || showSpec(guard) !== "bool[]") {
        throw new ShapeMismatch({
          where: fn.name,
          expected: `commitIf ${fn.commitIf} bool[]`,
          received: guard === undefined ? "no such output" : showSpec(guard),
          fix: "return it among the outputs as a scalar bool",
        })
      }
      if (guard.data[0] !== 1) return { outputs, written }
    }
    for (const [slot, tensors] of Object.entries(keptState(fn, result.state ?? {}))) {
      for (const [name, tensor] of Object.entries(tensors)) put(slots[slot]!, name, tensor)
    }
    return { outputs, written }
  } finally {
    tf.engine().endScope()
  }
}

/** `steps` calls in a row. `check` sees what the first one made: before, an eager engine knows nothing of it. */
export const repeat = (
  fn: TensorFunction,
  slots: Readonly<Record<string, Cells>>,
  { steps, inputs, each = {}, first = {}, carry = {}, collect }: Parameters<Executable["loop"]>[0],
  change: Transaction,
  check: (made: Made) => ShapeMismatch | null,
): HostTensors => {
  const rows: Record<string, Array<HostTensor>> = Object.fromEntries(collect.map((name) => [name, []]))
  let carried: HostTensors = first
  for (let i = 0; i < steps; i++) {
    const made = step(fn, slots, { ...inputs, ...mapValues(each, (value) => slice(value, i)), ...carried }, change)
    const error = i === 0 ? check(made) : null
    if (error !== null) throw error
    for (const name of collect) rows[name]!.push(made.outputs[name]!)
    carried = Object.fromEntries(Object.entries(carry).map(([from, to]) => [to, made.outputs[from]!]))
  }
  return mapValues(rows, (made) => stack(made[0]!, made))
}
