/** Calls of what TensorFlow computes in operations of its own, at several shapes each. */
import { gelu, layerNorm, linear, quickGelu, silu } from "@millrace/core"
import { attention, causalBias } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
// What a training step is made of is not public.
import { adamWStep, adamWUpdate, globalNorm } from "../../../packages/core/dist/train/adamw.js"

export interface RowCase {
  readonly what: string
  /** Of the operands. */
  readonly shapes: ReadonlyArray<ReadonlyArray<number>>
  readonly call: (x: ReadonlyArray<tf.Tensor>) => ReadonlyArray<tf.Tensor>
  /** Where it has a gradient: what is differentiated is the first result. */
  readonly differentiable: boolean
}

const op = (what: string, shapes: RowCase["shapes"], call: (...x: Array<tf.Tensor>) => tf.Tensor): RowCase => ({
  what,
  shapes,
  call: (x) => [call(...x)],
  differentiable: true,
})

const products = [1, 3].flatMap((columns) =>
  [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) =>
      op(
        `${transposeA ? "Aᵀ" : "A"} ${transposeB ? "Bᵀ" : "B"} with ${columns} columns`,
        [transposeA ? [7, 5] : [5, 7], transposeB ? [columns, 7] : [7, columns]],
        (a, b) => tf.matMul(a!, b!, transposeA, transposeB),
      ),
    ),
  ),
)

const moved = (decays: boolean, config: { readonly weightDecay: number }, norm: number): RowCase["call"] => {
  return ([param, gradient, first, second]) => {
    const adamW = { beta1: 0.9, beta2: 0.95, epsilon: 1e-3, ...config }
    const at = adamWStep(adamW, tf.scalar(3), tf.scalar(0.05), tf.scalar(norm))
    const made = adamWUpdate(adamW, at, param!, gradient!, { first: first!, second: tf.square(second!) }, decays)
    return [made.param, made.first, made.second]
  }
}
const four = (shape: ReadonlyArray<number>): RowCase["shapes"] => [shape, shape, shape, shape]

/** By the names of the rows. */
export const rowCases: Readonly<Record<string, ReadonlyArray<RowCase>>> = {
  BatchMatMul: [
    ...products,
    op(
      "in a batch",
      [
        [2, 5, 7],
        [2, 7, 3],
      ],
      (a, b) => tf.matMul(a!, b!),
    ),
    op(
      "of a vector",
      [
        [1, 7],
        [7, 1],
      ],
      (a, b) => tf.matMul(a!, b!),
    ),
  ],
  Linear: [
    op("of rows", [[5, 7], [7, 3], [3]], (x, w, b) => linear(x!, w!, b)),
    op("of the last axis", [[2, 3, 7], [7, 4], [4]], (x, w, b) => linear(x!, w!, b)),
    op(
      "without bias",
      [
        [2, 3, 7],
        [7, 4],
      ],
      (x, w) => linear(x!, w!),
    ),
  ],
  Attention: [
    op(
      "causal",
      [
        [2, 3, 5, 4],
        [2, 3, 5, 4],
        [2, 3, 5, 4],
      ],
      (q, k, v) => attention(q!, k!, v!, causalBias(5)),
    ),
    op(
      "of other positions",
      [
        [2, 3, 5, 4],
        [2, 3, 6, 4],
        [2, 3, 6, 4],
      ],
      (q, k, v) => attention(q!, k!, v!, null),
    ),
  ],
  LayerNorm: [
    op("of rows", [[4, 6], [6], [6]], (x, g, b) => layerNorm(x!, g as tf.Tensor1D, b as tf.Tensor1D)),
    op("of the last axis", [[2, 3, 8], [8], [8]], (x, g, b) => layerNorm(x!, g as tf.Tensor1D, b as tf.Tensor1D, 0.1)),
  ],
  GeluTanh: [op("of any shape", [[3, 4, 5]], (x) => gelu(x!)), op("of a vector", [[9]], (x) => gelu(x!))],
  QuickGelu: [op("as silu", [[3, 5]], (x) => silu(x!)), op("as CLIP has it", [[2, 3, 4]], (x) => quickGelu(x!))],
  SumOfSquares: [
    {
      what: "of several tensors",
      shapes: [[3, 4], [7], []],
      call: (x) => [globalNorm(x)],
      differentiable: false,
    },
  ],
  AdamW: [
    { what: "with decay", shapes: four([3, 4]), call: moved(true, { weightDecay: 0.1 }, 1), differentiable: false },
    { what: "without", shapes: four([5]), call: moved(false, { weightDecay: 0.1 }, 0.25), differentiable: false },
    { what: "of a scalar", shapes: four([]), call: moved(true, { weightDecay: 0 }, 1), differentiable: false },
  ],
}
