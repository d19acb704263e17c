/** The `onnx` engine: programs captured, written as ONNX, and run by onnxruntime-node in a child process. */
import { createHash } from "node:crypto"
import { Effect, Layer } from "effect"
import {
  type CompileError,
  Engine,
  type EngineError,
  type Executable,
  type State,
  type TensorFunction,
} from "../engine.js"
import { EngineFailed, type EngineMissing, UnsupportedOp } from "../errors.js"
import { lower } from "../onnx/lower.js"
import { capture } from "../program/capture.js"
import type { Program } from "../program/ir.js"
import { optimize } from "../program/passes.js"
import { type HostTensors, type Specs, sizeOf } from "../tensor.js"
import { byElements, type ElementwiseUpdate } from "../updates/elementwise.js"
import { compileUpdate } from "../updates/kernel.js"
import { byRows } from "../updates/rows.js"
import { checkCommit, checkLoop, checkRun, checkWrite, type Signature, specsOf, unknownNames } from "./check.js"
import { stopOutput } from "./directRun.js"
import type { CompileRequest, ModelPort } from "./protocol.js"
import { type Remote, startRemote } from "./remote.js"
import { groupNames, pickWire } from "./wire.js"

export interface OnnxOptions {
  /** Threads of a kernel. The results are the same for any number. */
  readonly threads: number
}

/** A model's ports: the program's, with the names that they have in the model. */
const modelPorts = (ports: Program["inputs"], names: ReadonlyArray<string>): ReadonlyArray<ModelPort> =>
  ports.map(({ name, slot, value: { dtype, shape } }, i) => ({ model: names[i]!, name, slot, dtype, shape }))

const signatureOf = (fn: TensorFunction, program: Program): Signature => ({
  name: fn.name,
  state: fn.state,
  inputs: fn.inputs,
  outputs: Object.fromEntries(
    program.outputs
      .filter(({ slot }) => slot === null)
      .map(({ name, value: { dtype, shape } }) => [name, { dtype, shape }]),
  ),
  written: program.outputs.flatMap(({ slot, name }) => (slot === null ? [] : [[slot, name] as const])),
  commitIf: fn.commitIf ?? null,
})

const orFail = <E>(error: E | null): Effect.Effect<void, E> => (error === null ? Effect.void : Effect.fail(error))

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

const lowered = (program: Program, constants: ReadonlyArray<string> = []): ReturnType<typeof lower> =>
  lower(program, { sequenceOutput: stopOutput, constants })

const written = (program: Program): Effect.Effect<ReturnType<typeof lower>, CompileError> =>
  Effect.try({
    try: () => lowered(program),
    catch: (error) =>
      error instanceof UnsupportedOp
        ? error
        : new EngineFailed({
            where: `internal: ${program.name} > onnx`,
            expected: "a program that can be written in ONNX",
            received: error instanceof Error ? error.message : String(error),
            fix: "report it, with the printed program",
            cause: error,
          }),
  })

/** The updates with the names that the model has for what they read; modules once each. */
const elementPorts = (
  updates: ReadonlyArray<ElementwiseUpdate>,
  portOf: (output: string) => ModelPort,
): Pick<CompileRequest, "elements" | "modules"> => {
  const modules: Array<Uint8Array> = []
  const known = new Map<string, number>()
  const moduleOf = ({ expression }: ElementwiseUpdate): number => {
    const bytes = compileUpdate(expression)
    const key = Buffer.from(bytes).toString("latin1")
    const module = known.get(key) ?? modules.push(bytes) - 1
    known.set(key, module)
    return module
  }
  const elements = updates.map((update) => ({
    module: moduleOf(update),
    shape: update.shape,
    size: sizeOf(update.shape),
    tensors: update.tensors.map((tensor) => ("output" in tensor ? { model: portOf(tensor.output).model } : tensor)),
    scalars: update.scalars.map(portOf),
  }))
  return { elements, modules }
}

const makeEngine = (remote: Remote): Engine["Service"] => {
  const stateIds = new WeakMap<State, number>()
  let lastState = 0
  let lastProgram = 0
  const known = (state: State): boolean => stateIds.has(state)
  const bindings = (states: Readonly<Record<string, State>> = {}): Record<string, number> =>
    Object.fromEntries(Object.entries(states).map(([slot, state]) => [slot, stateIds.get(state)!]))

  const allocate: Engine["Service"]["allocate"] = (initial) =>
    Effect.gen(function* () {
      const id = ++lastState
      const specs = specsOf(initial)
      const fill = Effect.forEach(groupNames(specs), (names) =>
        remote.ask("state", { kind: "allocate", state: id, values: pickWire(initial, names) }),
      )
      yield* Effect.acquireRelease(
        Effect.andThen(remote.ask("state", { kind: "allocate", state: id, values: {} }), fill),
        () => remote.tell({ kind: "free", state: id }),
      )
      const state = stateOf(remote, id, specs)
      stateIds.set(state, id)
      return state
    })

  const compile: Engine["Service"]["compile"] = (fn) =>
    Effect.gen(function* () {
      const program = optimize(yield* capture(fn))
      const signature = signatureOf(fn, program)
      yield* orFail(checkCommit(signature))
      const byElement = byElements(program)
      const byRow = byRows(byElement.program)
      const executed = byRow.program
      const { bytes, inputs, outputs } = yield* written(executed)
      const ports = modelPorts(executed.outputs, outputs)
      const named = new Map(ports.flatMap((port) => (port.slot === null ? [[port.name, port] as const] : [])))
      const portOf = (output: string): ModelPort => named.get(output)!
      const id = ++lastProgram
      yield* Effect.acquireRelease(
        remote.ask(fn.name, {
          kind: "compile",
          program: id,
          hash: hashOf(bytes),
          model: bytes,
          inputs: modelPorts(executed.inputs, inputs),
          outputs: ports.filter(({ slot, name }) => slot !== null || signature.outputs?.[name] !== undefined),
          rows: byRow.updates.map((rows) => ({ ...rows, rows: portOf(rows.rows), values: portOf(rows.values) })),
          ...elementPorts(byElement.updates, portOf),
          commitIf: signature.commitIf,
        }),
        () => remote.tell({ kind: "release", program: id }),
      )
      const run: Executable["run"] = (call) =>
        Effect.gen(function* () {
          yield* orFail(checkRun(signature, call, known))
          const { inputs } = call
          return yield* remote.ask(fn.name, { kind: "run", program: id, state: bindings(call.state), inputs })
        })
      const fixed = new Set<string>()
      /** Tells the child of the variant with these constants, once. */
      const fix = (constants: ReadonlyArray<string>): Effect.Effect<void, EngineError> =>
        Effect.gen(function* () {
          if (constants.length === 0 || fixed.has(String(constants))) return
          const model = lowered(executed, constants).bytes
          yield* remote.ask(fn.name, { kind: "fix", program: id, constants, hash: hashOf(model), model })
          fixed.add(String(constants))
        })
      const loop: Executable["loop"] = (call) =>
        Effect.gen(function* () {
          yield* orFail(checkLoop(signature, call, known))
          const { steps, inputs, each = {}, first = {}, carry = {}, collect, constants = [] } = call
          const state = bindings(call.state)
          yield* fix(constants)
          const request = {
            kind: "loop",
            program: id,
            state,
            steps,
            inputs,
            each,
            first,
            carry,
            collect,
            constants,
          } as const
          return yield* remote.ask(fn.name, request)
        })
      return { program, run, loop }
    })

  return { name: "onnx", version: `onnxruntime-node ${remote.version} cpu`, compile, allocate }
}

const stateOf = (remote: Remote, id: number, specs: Specs): State => ({
  specs,
  read: (names = Object.keys(specs)) =>
    Effect.gen(function* () {
      const unknown = unknownNames(specs, names)
      if (unknown.length > 0) {
        return yield* new EngineFailed({
          where: "state",
          expected: `names among ${Object.keys(specs).join(", ")}`,
          received: unknown.join(", "),
          fix: "read names of `specs`",
        })
      }
      const wanted = Object.fromEntries(names.map((name) => [name, specs[name]!]))
      const parts = yield* Effect.forEach(groupNames(wanted), (group) =>
        remote.ask("state", { kind: "read", state: id, names: group }),
      )
      const all: HostTensors = Object.assign({}, ...parts)
      return Object.fromEntries(names.map((name) => [name, all[name]!]))
    }),
  write: (values: HostTensors) =>
    Effect.gen(function* () {
      yield* orFail(checkWrite(specs, values))
      yield* Effect.forEach(groupNames(specsOf(values)), (names) =>
        remote.ask("state", { kind: "write", state: id, values: pickWire(values, names) }),
      )
    }),
})

/** The engine as a layer: its child process lives as long as the layer's scope. */
export const onnxLayer = (options: OnnxOptions): Layer.Layer<Engine, EngineMissing | EngineFailed> =>
  Layer.effect(Engine, Effect.map(startRemote(options), makeEngine))
