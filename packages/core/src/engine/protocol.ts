/** What the main process and an engine's child process say to each other. Every request has one response. */
import type { DType, HostTensors, Specs } from "../tensor.js"
import type { EngineTrace } from "./measured.js"
import type { Probe } from "./probe.js"
import type { Pieces, Ranges } from "./wire.js"

/** One input or output of a compiled model: its name in the model, and where a program takes it from or puts it. */
export interface ModelPort {
  readonly model: string
  readonly name: string
  readonly slot: string | null
  readonly dtype: DType
  readonly shape: ReadonlyArray<number>
}

/** Rows of a state tensor that a run writes: int32 row numbers, and the rows. */
export interface RowPorts {
  readonly slot: string
  readonly name: string
  readonly rows: ModelPort
  readonly values: ModelPort
}

/** A state tensor that a run changes in place: one buffer is the model's input and its output. */
export interface PlacePorts {
  readonly slot: string
  readonly name: string
  /** The output's name in the model. */
  readonly model: string
}

/** An elementwise update: the tensors of its expression in order, and its scalars. */
export interface ElementPorts {
  /** Its place in the list of modules. */
  readonly module: number
  readonly shape: ReadonlyArray<number>
  readonly size: number
  readonly tensors: ReadonlyArray<{ readonly slot: string; readonly name: string } | { readonly model: string }>
  readonly scalars: ReadonlyArray<ModelPort>
}

/** State ids by slot. */
export type Bindings = Readonly<Record<string, number>>

export interface CompileRequest {
  readonly kind: "compile"
  readonly program: number
  readonly hash: string
  readonly model: Uint8Array
  readonly inputs: ReadonlyArray<ModelPort>
  readonly outputs: ReadonlyArray<ModelPort>
  readonly rows: ReadonlyArray<RowPorts>
  readonly places: ReadonlyArray<PlacePorts>
  readonly elements: ReadonlyArray<ElementPorts>
  /** WebAssembly modules that the elementwise updates run. */
  readonly modules: ReadonlyArray<Uint8Array>
  readonly commitIf: string | null
}

/** A variant of a compiled program in which the values of some slots are part of the model. */
export interface FixRequest {
  readonly kind: "fix"
  readonly program: number
  /** The slots, as the loops that use the variant name them. */
  readonly constants: ReadonlyArray<string>
  readonly hash: string
  /** The model without the values that it takes in. */
  readonly model: Uint8Array
  /** What it takes in: state, with the names that the values have in the model. */
  readonly weights: ReadonlyArray<ModelPort>
  /** What is left to give it. */
  readonly inputs: ReadonlyArray<ModelPort>
}

export interface RunRequest {
  readonly kind: "run"
  readonly program: number
  readonly state: Bindings
  readonly inputs: HostTensors
}

export interface LoopRequest {
  readonly kind: "loop"
  readonly program: number
  readonly state: Bindings
  readonly steps: number
  readonly inputs: HostTensors
  readonly each: HostTensors
  readonly first: HostTensors
  readonly carry: Readonly<Record<string, string>>
  readonly collect: ReadonlyArray<string>
  readonly constants: ReadonlyArray<string>
  readonly scratch: ReadonlyArray<string>
}

export type Request =
  | CompileRequest
  | FixRequest
  | RunRequest
  | LoopRequest
  | { readonly kind: "release"; readonly program: number }
  /** From now on the runs of the program are recorded, in a file in the folder, until `profiled` asks for what was. */
  | { readonly kind: "profile"; readonly program: number; readonly folder: string }
  | { readonly kind: "profiled" }
  /** The tensors are zero until they are written. */
  | { readonly kind: "allocate"; readonly state: number; readonly specs: Specs }
  | { readonly kind: "free"; readonly state: number }
  | { readonly kind: "read"; readonly state: number; readonly ranges: Ranges }
  | { readonly kind: "write"; readonly state: number; readonly pieces: Pieces }

/** What is answered to a request. */
export type Answer<R extends Request = Request> = R extends { readonly kind: "profiled" } ? EngineTrace : HostTensors

/** From the main process: a request, or a request that nobody waits for any more. */
export type ToChild = { readonly id: number; readonly request: Request } | { readonly cancel: number }

/** From the child: how it started, then one response a request. */
export type FromChild =
  | { readonly ready: true; readonly version: string }
  | { readonly ready: false; readonly reason: string }
  | { readonly id: number; readonly ok: true; readonly value: Answer }
  | { readonly id: number; readonly ok: false; readonly reason: string }

/** ONNX Runtime's execution provider: what runs the kernels. */
export type Provider = "cpu" | "webgpu"

/** What the child is started with, as its one argument in JSON. */
export interface ChildOptions {
  readonly threads: number
  readonly provider: Provider
  /** What is run before the engine says that it is ready; null where loading is enough. */
  readonly probe: Probe | null
}
