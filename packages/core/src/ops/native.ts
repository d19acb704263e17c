/**
 * Operations that one backend of tfjs computes in its own way. Everywhere else, and while programs are captured, they are what
 * this package writes in tfjs's operations.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Attrs } from "../program/shapes.js"

/** A fused operation, by the name and with the outputs that `program/fused.ts` gives it. */
export type NativeFused = (inputs: ReadonlyArray<tf.Tensor>, attrs: Attrs) => ReadonlyArray<tf.Tensor>

/** An operation with its gradient. */
export interface NativeDifferentiable {
  /** Its value, and the tensors that `backward` needs. */
  readonly forward: (
    inputs: ReadonlyArray<tf.Tensor>,
    attrs: Attrs,
  ) => { readonly value: tf.Tensor; readonly saved: ReadonlyArray<tf.Tensor> }
  /** One tensor an input. */
  readonly backward: (dy: tf.Tensor, saved: ReadonlyArray<tf.Tensor>, attrs: Attrs) => Array<tf.Tensor>
}

/** What a backend does in its own way, by the names of operations. */
export interface NativeOps {
  readonly fused: ReadonlyMap<string, NativeFused>
  readonly differentiable: ReadonlyMap<string, NativeDifferentiable>
}

const byBackend = new Map<string, NativeOps>()

/** @param backend  as tfjs knows it. What it had before is replaced */
export const registerNativeOps = (backend: string, ops: NativeOps): void => {
  byBackend.set(backend, ops)
}

/** A fused operation of the active backend. */
export const nativeFused = (op: string): NativeFused | undefined => byBackend.get(tf.getBackend())?.fused.get(op)

/** An operation of the active backend, with its gradient. */
export const nativeDifferentiable = (op: string): NativeDifferentiable | undefined =>
  byBackend.get(tf.getBackend())?.differentiable.get(op)
