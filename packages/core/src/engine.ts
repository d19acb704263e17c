/**
 * The engine: what runs tensor functions. One service, several implementations; a caller cannot tell which.
 */
import type * as tf from "@tensorflow/tfjs-core"
import { Context, type Effect, type Scope } from "effect"
import type { Measured, Rounds } from "./engine/measured.js"
import type {
  EngineFailed,
  EngineMissing,
  NodeFailed,
  ShapeMismatch,
  UnsupportedOp,
  ValueDuringCapture,
} from "./errors.js"
import type { Program } from "./program/ir.js"
import type { HostTensors, Specs } from "./tensor.js"
import type { TensorSource } from "./tensorSource.js"

/** Named tfjs tensors, as a function's body sees them. */
export type Tensors = Readonly<Record<string, tf.Tensor>>

/**
 * A pure function of named tensors, written in the tfjs API, with the state that an engine keeps for it.
 * The body must be deterministic: randomness enters as an input.
 */
export interface TensorFunction {
  readonly name: string
  /** Tensors kept by the engine between calls: slot, name, type. */
  readonly state: Readonly<Record<string, Specs>>
  readonly inputs: Specs
  /**
   * The name of a scalar bool output. Where it is false the call's new state is dropped and the old one stays:
   * a step with a loss that is not finite costs nothing to refuse.
   */
  readonly commitIf?: string
  readonly body: (
    state: Readonly<Record<string, Tensors>>,
    inputs: Tensors,
  ) => {
    readonly outputs: Tensors
    /** New values of state, by slot and name; what is not named here is unchanged. */
    readonly state?: Readonly<Record<string, Tensors>>
  }
}

/** Tensors that live in an engine, by name. Freed with the scope that allocated them. */
export interface State {
  readonly specs: Specs
  /** A copy of the present values, or of the named ones alone. */
  readonly read: (names?: ReadonlyArray<string>) => Effect.Effect<HostTensors, EngineFailed>
  /** Replaces the named values; types must be those of `specs`. */
  readonly write: (values: HostTensors) => Effect.Effect<void, EngineFailed | ShapeMismatch>
}

export type EngineError = EngineFailed | ShapeMismatch
export type CompileError = EngineFailed | NodeFailed | ShapeMismatch | UnsupportedOp | ValueDuringCapture

/** What an engine measured of a program's calls. */
export interface EngineProfile extends Measured {
  /** The kernels that the engine's session runs. */
  readonly program: Program
  /** The names that the engine's kernels go by -> the equations that they were written for. */
  readonly origins: ReadonlyMap<string, number>
}

/** A tensor function made ready for one engine. */
export interface Executable {
  /** What was captured and optimised; null where an engine runs the body itself, op by op. */
  readonly program: Program | null
  /** One call. `state` binds every slot of the function; state is updated in place, all or nothing. */
  readonly run: (call: {
    readonly state?: Readonly<Record<string, State>>
    readonly inputs: HostTensors
  }) => Effect.Effect<HostTensors, EngineError>
  /**
   * `steps` calls in a row inside the engine, with no crossing between them.
   * @param inputs   the same in every step
   * @param each     stacked along a new first axis of size `steps`; step i gets slice i
   * @param first    the values that carried inputs have in step 0
   * @param carry    output name -> input name: an output of step i is that input of step i + 1
   * @param collect  outputs returned, stacked along a new first axis of size `steps`
   * @param constants  slots whose present values an engine may build into the program, for weights that are read in many
   *                 steps before they change: a step is faster, the first loop after a change is slower. The function must
   *                 not write them
   * @param scratch  slots whose values mean nothing after a loop that fails or is cancelled, such as caches that are filled anew
   *                 before each: an engine may work on them without keeping what they were
   */
  readonly loop: (call: {
    readonly state?: Readonly<Record<string, State>>
    readonly steps: number
    readonly inputs: HostTensors
    readonly each?: HostTensors
    readonly first?: HostTensors
    readonly carry?: Readonly<Record<string, string>>
    readonly collect: ReadonlyArray<string>
    readonly constants?: ReadonlyArray<string>
    readonly scratch?: ReadonlyArray<string>
  }) => Effect.Effect<HostTensors, EngineError>
  /** Calls `run` some times and measures; state changes as it does. Null where an engine cannot tell. */
  readonly profile:
    | ((
        call: { readonly state?: Readonly<Record<string, State>>; readonly inputs: HostTensors },
        rounds: Rounds,
      ) => Effect.Effect<EngineProfile, EngineError>)
    | null
}

export const engineNames = ["onnx", "onnx:webgpu", "tfjs:cpu", "tfjs:wasm", "tfjs:node", "tfjs:node-gpu"] as const
export type EngineName = (typeof engineNames)[number]

/** The engines that `millrace engines add` installs, by the names of their npm packages. */
export const nativeEngineNames = ["tfjs-node", "tfjs-node-gpu"] as const
export type NativeEngineName = (typeof nativeEngineNames)[number]

/** The engine service. Layers: `Engines.layer(name)`. */
export class Engine extends Context.Service<
  Engine,
  {
    readonly name: EngineName
    /** Library and version, for the run folder: `onnxruntime-node 1.30.0 cpu`. */
    readonly version: string
    /** Threads of one kernel, where the engine knows. They decide how long a call takes, and not what it gives. */
    readonly threads?: number
    readonly compile: (fn: TensorFunction) => Effect.Effect<Executable, CompileError, Scope.Scope>
    /** A state with these first values. A source is read piece by piece: what comes from a file is never in memory twice. */
    readonly allocate: <E = never>(
      initial: HostTensors | TensorSource<E>,
    ) => Effect.Effect<State, EngineFailed | E, Scope.Scope>
  }
>()("millrace/Engine") {}

export type EngineLayerError = EngineMissing | EngineFailed
