/** The eager engines: a function's body run op by op on a tfjs backend. Simple, slow, and the oracle of the others. */
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Layer } from "effect"
import { Engine, type EngineName, type Executable, type State, type TensorFunction, type Tensors } from "../engine.js"
import { EngineFailed, ShapeMismatch } from "../errors.js"
import {
  type DType,
  type HostTensor,
  type HostTensors,
  type Specs,
  showSpec,
  sizeOf,
  type TensorSpec,
} from "../tensor.js"
import { withBackend } from "../tfjs.js"
import { checkLoop, checkRun, checkWrite, type Signature, specsOf, unknownNames } from "./check.js"
import { type Cells, type Transaction, transact } from "./transaction.js"

/** A tfjs backend that is ready to use. */
export interface EagerBackend {
  readonly name: EngineName
  /** The name that tfjs knows it by. */
  readonly backend: string
  readonly version: string
}

const mapValues = <A, B>(record: Readonly<Record<string, A>>, to: (value: A, name: string) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value, name)]))

const empty = ({ dtype, shape }: TensorSpec): HostTensor => {
  const size = sizeOf(shape)
  const data =
    dtype === "float32" ? new Float32Array(size) : dtype === "int32" ? new Int32Array(size) : new Uint8Array(size)
  return { dtype, shape, data }
}

/** Copies in: a tfjs tensor may keep the array that it is given. */
const upload = ({ dtype, shape, data }: HostTensor): tf.Tensor => tf.tensor(data.slice(), [...shape], dtype)

const specOf = ({ dtype, shape }: tf.Tensor): TensorSpec => ({ dtype: dtype as DType, shape })

/** Copies out: a backend may hand out the array that it keeps. */
const download = (tensor: tf.Tensor): HostTensor => {
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

/** One call of the body. New state goes into the transaction, unless the function refuses it. */
const step = (
  fn: TensorFunction,
  slots: Readonly<Record<string, Cells>>,
  inputs: HostTensors,
  { get, put }: Transaction,
): HostTensors => {
  tf.engine().startScope()
  try {
    const state = mapValues(fn.state, (specs, slot) => mapValues(specs, (_, name) => get(slots[slot]!, name)))
    const result = fn.body(state, mapValues(inputs, upload))
    const outputs = mapValues(result.outputs, download)
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
      if (guard.data[0] !== 1) return outputs
    }
    for (const [slot, tensors] of Object.entries(keptState(fn, result.state ?? {}))) {
      for (const [name, tensor] of Object.entries(tensors)) put(slots[slot]!, name, tensor)
    }
    return outputs
  } finally {
    tf.engine().endScope()
  }
}

const makeEngine = ({ name, backend, version }: EagerBackend): Engine["Service"] => {
  const cellsOf = new WeakMap<State, Cells>()
  const known = (state: State): boolean => cellsOf.has(state)
  const slotsOf = (states: Readonly<Record<string, State>> = {}): Record<string, Cells> =>
    mapValues(states, (state) => cellsOf.get(state)!)

  const failed = (where: string, cause: unknown): EngineFailed =>
    new EngineFailed({
      where,
      expected: `${name} to finish the call`,
      received: cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause),
      fix: "see the reason above; state is as it was before the call",
      cause,
    })
  const attempt = <A>(where: string, work: () => A): Effect.Effect<A, EngineFailed | ShapeMismatch> =>
    Effect.try({
      try: () => withBackend(backend, work),
      catch: (error) => (error instanceof ShapeMismatch ? error : failed(where, error)),
    })
  const access = <A>(work: () => A): Effect.Effect<A, EngineFailed> =>
    Effect.try({ try: () => withBackend(backend, work), catch: (error) => failed("state", error) })

  const stateOf = (cells: Cells, specs: Specs): State => ({
    specs,
    read: (names = Object.keys(specs)) =>
      access(() => {
        const unknown = unknownNames(specs, names)
        if (unknown.length > 0) throw new Error(`the state does not hold ${unknown.join(", ")}`)
        if (cells.size === 0 && names.length > 0) throw new Error("the state has been freed: its scope is closed")
        return Object.fromEntries(names.map((key) => [key, download(cells.get(key)!)]))
      }),
    write: (values) =>
      Effect.gen(function* () {
        const error = checkWrite(specs, values)
        if (error !== null) return yield* error
        yield* access(() =>
          transact(({ put }) => {
            for (const [key, value] of Object.entries(values)) put(cells, key, tf.keep(upload(value)))
          }),
        )
      }),
  })

  const allocate: Engine["Service"]["allocate"] = (initial) =>
    Effect.map(
      Effect.acquireRelease(
        access((): Cells => new Map(Object.entries(initial).map(([key, value]) => [key, tf.keep(upload(value))]))),
        (cells) =>
          Effect.sync(() => {
            for (const tensor of cells.values()) tensor.dispose()
            cells.clear()
          }),
      ),
      (cells) => {
        const state = stateOf(cells, specsOf(initial))
        cellsOf.set(state, cells)
        return state
      },
    )

  const compile = (fn: TensorFunction): Executable => {
    const signature = (outputs: Specs | null): Signature => ({ ...fn, outputs, written: [], commitIf: null })
    return {
      program: null,
      run: (call) =>
        Effect.gen(function* () {
          const error = checkRun(signature(null), call, known)
          if (error !== null) return yield* error
          return yield* attempt(fn.name, () => transact((change) => step(fn, slotsOf(call.state), call.inputs, change)))
        }),
      loop: (call) =>
        Effect.gen(function* () {
          const error = checkLoop(signature(null), call, known)
          if (error !== null) return yield* error
          return yield* attempt(fn.name, () =>
            transact((change) =>
              repeat(fn, slotsOf(call.state), call, change, (made) => checkLoop(signature(specsOf(made)), call, known)),
            ),
          )
        }),
    }
  }
  return { name, version, compile: (fn) => Effect.sync(() => compile(fn)), allocate }
}

/** `steps` calls in a row. `check` sees the first outputs: before, an eager engine does not know their types. */
const repeat = (
  fn: TensorFunction,
  slots: Readonly<Record<string, Cells>>,
  { steps, inputs, each = {}, first = {}, carry = {}, collect }: Parameters<Executable["loop"]>[0],
  change: Transaction,
  check: (made: HostTensors) => ShapeMismatch | null,
): HostTensors => {
  const rows: Record<string, Array<HostTensor>> = Object.fromEntries(collect.map((name) => [name, []]))
  let carried: HostTensors = first
  for (let i = 0; i < steps; i++) {
    const made = step(fn, slots, { ...inputs, ...mapValues(each, (value) => slice(value, i)), ...carried }, change)
    const error = i === 0 ? check(made) : null
    if (error !== null) throw error
    for (const name of collect) rows[name]!.push(made[name]!)
    carried = Object.fromEntries(Object.entries(carry).map(([from, to]) => [to, made[from]!]))
  }
  return mapValues(rows, (made) => stack(made[0]!, made))
}

/** An eager engine as a layer. */
export const eagerLayer = (backend: EagerBackend): Layer.Layer<Engine> => Layer.succeed(Engine, makeEngine(backend))
