/**
 * A program: the kernels of one tensor function in static single assignment form, every shape known.
 *
 * An equation's `op` is a tfjs kernel name and its `attrs` are that kernel's attributes, unchanged, so that any
 * program can be interpreted by any tfjs backend. The passes may introduce the few fused kernels of `FusedOp`.
 */
import type { DType, HostTensor } from "../tensor.js"

/** One tensor of a program. `id` is unique within it and grows in the order of definition. */
export interface Value {
  readonly id: number
  readonly dtype: DType
  readonly shape: ReadonlyArray<number>
}

export type Attr =
  | number
  | boolean
  | string
  | ReadonlyArray<number>
  | ReadonlyArray<string>
  | ReadonlyArray<ReadonlyArray<number>>

/** One kernel call. */
export interface Equation {
  readonly op: string
  readonly inputs: ReadonlyArray<Value>
  readonly attrs: Readonly<Record<string, Attr>>
  readonly outputs: ReadonlyArray<Value>
  /** Where in the graph it was recorded: `sft > logits > blocks.0`. */
  readonly path: string
}

/** A named input. State inputs stay with the engine between runs, under `slot` and `name`. */
export interface ProgramInput {
  readonly name: string
  /** The state slot it is read from, or null for an ordinary input. */
  readonly slot: string | null
  readonly value: Value
}

/** A named output. An output with a slot replaces the state of that slot and name after the run. */
export interface ProgramOutput {
  readonly name: string
  readonly slot: string | null
  readonly value: Value
}

export interface Constant {
  readonly value: Value
  readonly tensor: HostTensor
}

export interface Program {
  readonly name: string
  readonly inputs: ReadonlyArray<ProgramInput>
  readonly constants: ReadonlyArray<Constant>
  readonly equations: ReadonlyArray<Equation>
  readonly outputs: ReadonlyArray<ProgramOutput>
}
