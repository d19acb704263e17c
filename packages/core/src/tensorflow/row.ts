/** A row of the table of what TensorFlow computes in operations of its own. */
import type * as tf from "@tensorflow/tfjs-core"
import type { NativeDifferentiable, NativeFused } from "../ops/native.js"
import type { Raw } from "./raw.js"

export interface Row {
  /** The kernel of tfjs, or the operation of this package. */
  readonly name: string
  /** The operations of TensorFlow that it runs, and that the plain form does not. */
  readonly raw: ReadonlyArray<string>
  /** One of them: a kernel of tfjs, a fused operation, an operation with its gradient. */
  readonly kernel?: (raw: Raw, plain: tf.KernelFunc) => tf.KernelFunc
  readonly fused?: (raw: Raw) => NativeFused
  readonly differentiable?: (raw: Raw) => NativeDifferentiable
}
