/** The eager engines: a function's body run op by op on a tfjs backend. Simple, slow, and the oracle of the others. */
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Layer } from "effect"
import { Engine, type EngineName, type Executable, type State, type TensorFunction } from "../engine.js"
import { EngineFailed, ShapeMismatch } from "../errors.js"
import { type Specs, sizeOf } from "../tensor.js"
import { tensorSource } from "../tensorSource.js"
import { withBackend } from "../tfjs.js"
import { checkLoop, checkRun, checkWrite, type Signature, specsOf, unknownNames } from "./check.js"
import { download, mapValues, repeat, step, upload } from "./eagerCall.js"
import { type Cells, transact } from "./transaction.js"

/** A tfjs backend that is ready to use. */
export interface EagerBackend {
  readonly name: EngineName
  /** The name that tfjs knows it by. */
  readonly backend: string
  readonly version: string
  /** Threads of one kernel, where the backend has but one; TensorFlow's own do not tell. */
  readonly threads?: 1
}

const makeEngine = ({ name, backend, version, threads }: EagerBackend): Engine["Service"] => {
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
    Effect.gen(function* () {
      const { specs, piece } = tensorSource(initial)
      const cells: Cells = yield* Effect.acquireRelease(
        Effect.sync(() => new Map()),
        (cells) =>
          Effect.sync(() => {
            for (const tensor of cells.values()) tensor.dispose()
            cells.clear()
          }),
      )
      for (const [name, { dtype, shape }] of Object.entries(specs)) {
        const data = yield* piece(name, 0, sizeOf(shape))
        yield* access(() => cells.set(name, tf.keep(upload({ dtype, shape, data }))))
      }
      const state = stateOf(cells, specs)
      cellsOf.set(state, cells)
      return state
    })

  const compile = (fn: TensorFunction): Executable => {
    const signature = (outputs: Specs | null, written: Signature["written"] = []): Signature => ({
      ...fn,
      outputs,
      written,
      commitIf: null,
    })
    return {
      program: null,
      run: (call) =>
        Effect.gen(function* () {
          const error = checkRun(signature(null), call, known)
          if (error !== null) return yield* error
          return yield* attempt(fn.name, () =>
            transact((change) => {
              const { outputs, written } = step(fn, slotsOf(call.state), call.inputs, change)
              const late = checkRun(signature(null, written), call, known)
              if (late !== null) throw late
              return outputs
            }),
          )
        }),
      loop: (call) =>
        Effect.gen(function* () {
          const error = checkLoop(signature(null), call, known)
          if (error !== null) return yield* error
          return yield* attempt(fn.name, () =>
            transact((change) =>
              repeat(fn, slotsOf(call.state), call, change, ({ outputs, written }) =>
                checkLoop(signature(specsOf(outputs), written), call, known),
              ),
            ),
          )
        }),
      profile: null,
    }
  }
  return {
    name,
    version,
    ...(threads === undefined ? {} : { threads }),
    compile: (fn) => Effect.sync(() => compile(fn)),
    allocate,
  }
}

/** An eager engine as a layer. */
export const eagerLayer = (backend: EagerBackend): Layer.Layer<Engine> => Layer.succeed(Engine, makeEngine(backend))
