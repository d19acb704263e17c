/** The `onnx` engine: programs captured, written as ONNX, and run by onnxruntime-node in a child process. */
import { createHash } from "node:crypto"
import { Effect, Layer, type Scope } from "effect"
import {
  type CompileError,
  Engine,
  type EngineError,
  type EngineName,
  type Executable,
  type State,
  type TensorFunction,
} from "../engine.js"
import { EngineFailed, type EngineMissing, UnsupportedOp } from "../errors.js"
import { lower } from "../onnx/lower.js"
import { capture } from "../program/capture.js"
import type { Program } from "../program/ir.js"
import { optimize } from "../program/passes.js"
import { type Specs, sizeOf } from "../tensor.js"
import { tensorSource } from "../tensorSource.js"
import { byElements, type ElementwiseUpdate } from "../updates/elementwise.js"
import { compileUpdate } from "../updates/kernel.js"
import { inPlace, writtenOut } from "../updates/places.js"
import { byRows } from "../updates/rows.js"
import { checkCommit, checkLoop, checkRun, type Signature } from "./check.js"
import { stopOutput } from "./directRun.js"
import { measure } from "./measure.js"
import { probe } from "./probe.js"
import type { CompileRequest, ModelPort, Provider } from "./protocol.js"
import { type Remote, startRemote } from "./remote.js"
import { sendTensors, stateOf, turnsOf } from "./remoteState.js"

export interface OnnxOptions {
  /** Threads of a kernel. The results are the same for any number. */
  readonly threads: number
  readonly provider: Provider
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

const lowered = (
  program: Program,
  provider: Provider,
  constants: ReadonlyArray<string> = [],
): ReturnType<typeof lower> =>
  lower(program, { sequenceOutput: stopOutput, constants, tables: provider === "cpu", portable: provider !== "cpu" })

const written = (program: Program, provider: Provider): Effect.Effect<ReturnType<typeof lower>, CompileError> =>
  Effect.try({
    try: () => lowered(program, provider),
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

/** The program without kernels that ONNX has no operator for. */
const plain = (program: Program): Program => {
  const written = writtenOut(program)
  return written === program ? program : optimize(written)
}

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

const makeEngine = (remote: Remote, { provider, threads }: OnnxOptions): Engine["Service"] => {
  const { ask, inTurn } = turnsOf(remote)
  const stateIds = new WeakMap<State, number>()
  let lastState = 0
  let lastProgram = 0
  const known = (state: State): boolean => stateIds.has(state)
  const bindings = (states: Readonly<Record<string, State>> = {}): Record<string, number> =>
    Object.fromEntries(Object.entries(states).map(([slot, state]) => [slot, stateIds.get(state)!]))

  /** A state of zeros, freed with the scope. Apart from `allocate`: a finaliser keeps alive what is in its reach. */
  const reserve = (id: number, specs: Specs): Effect.Effect<unknown, EngineFailed, Scope.Scope> =>
    Effect.acquireRelease(ask("state", { kind: "allocate", state: id, specs }), () =>
      remote.tell({ kind: "free", state: id }),
    )
  const allocate: Engine["Service"]["allocate"] = (initial) =>
    Effect.gen(function* () {
      const id = ++lastState
      const source = tensorSource(initial)
      yield* reserve(id, source.specs)
      yield* inTurn((ask) => sendTensors(ask, id, source, true))
      const state = stateOf(inTurn, id, source.specs)
      stateIds.set(state, id)
      return state
    })

  const compile: Engine["Service"]["compile"] = (fn) =>
    Effect.gen(function* () {
      const program = optimize(yield* capture(fn))
      const signature = signatureOf(fn, program)
      yield* orFail(checkCommit(signature))
      const byElement = byElements(program)
      // What a refused step has written in place, nobody can take back.
      const placed = signature.commitIf === null && provider === "cpu"
      const { program: stepped, updates: places } = placed
        ? inPlace(byElement.program)
        : { program: byElement.program, updates: [] }
      const byRow = byRows(plain(stepped))
      const executed = byRow.program
      const { bytes, inputs, outputs, origins } = yield* written(executed, provider)
      const ports = modelPorts(executed.outputs, outputs)
      const named = new Map(ports.flatMap((port) => (port.slot === null ? [[port.name, port] as const] : [])))
      const portOf = (output: string): ModelPort => named.get(output)!
      const placeOf = ({ slot, name }: ModelPort) => places.find((place) => place.slot === slot && place.name === name)
      const id = ++lastProgram
      yield* Effect.acquireRelease(
        ask(fn.name, {
          kind: "compile",
          program: id,
          hash: hashOf(bytes),
          model: bytes,
          inputs: modelPorts(executed.inputs, inputs),
          outputs: ports.filter(
            (port) =>
              placeOf(port) === undefined && (port.slot !== null || signature.outputs?.[port.name] !== undefined),
          ),
          places: ports.flatMap((port) =>
            placeOf(port) === undefined ? [] : [{ ...placeOf(port)!, model: port.model }],
          ),
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
          return yield* ask(fn.name, { kind: "run", program: id, state: bindings(call.state), inputs })
        })
      const fixed = new Set<string>()
      /** Tells the child of the variant with these constants, once. */
      const fix = (constants: ReadonlyArray<string>): Effect.Effect<void, EngineError> =>
        Effect.gen(function* () {
          if (constants.length === 0 || fixed.has(JSON.stringify(constants))) return
          const made = lowered(executed, provider, constants)
          const model = made.bytes
          const all = modelPorts(executed.inputs, made.inputs)
          const weights = all.flatMap((port) => {
            const constant = made.initializers.get(port.model)
            return constant === undefined ? [] : [{ ...port, model: constant }]
          })
          const inputs = all.filter((port) => !made.absent.has(port.model))
          yield* ask(fn.name, { kind: "fix", program: id, constants, hash: hashOf(model), model, weights, inputs })
          fixed.add(JSON.stringify(constants))
        })
      const loop: Executable["loop"] = (call) =>
        Effect.gen(function* () {
          yield* orFail(checkLoop(signature, call, known))
          const { steps, inputs, each = {}, first = {}, carry = {}, collect, constants = [], scratch = [] } = call
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
            scratch,
          } as const
          return yield* ask(fn.name, request)
        })
      const profile: Executable["profile"] = (call, rounds) =>
        Effect.gen(function* () {
          yield* orFail(checkRun(signature, call, known))
          return { program: executed, origins, ...(yield* measure(remote, fn.name, id, run(call), rounds)) }
        })
      return { program, run, loop, profile }
    })

  const name: EngineName = provider === "cpu" ? "onnx" : `onnx:${provider}`
  return { name, version: `onnxruntime-node ${remote.version} ${provider}`, threads, compile, allocate }
}

/** The engine as a layer: its child process lives as long as the layer's scope. */
export const onnxLayer = (options: OnnxOptions): Layer.Layer<Engine, EngineMissing | EngineFailed> =>
  Layer.effect(
    Engine,
    Effect.map(startRemote({ ...options, probe: options.provider === "cpu" ? null : probe() }), (remote) =>
      makeEngine(remote, options),
    ),
  )
