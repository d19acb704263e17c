/** A tensor operation with a gradient of its own. */
import * as tf from "@tensorflow/tfjs-core"
import { decompose } from "../program/fused.js"
import { capturing } from "../program/recording.js"
import type { Attrs } from "../program/shapes.js"

/**
 * The value of `forward`, whose gradient with respect to `inputs` is what `backward` gives, one tensor an input.
 * `backward` sees the tensors that `forward` saves and no others: its own may be gone by then.
 */
export const differentiable = (
  inputs: ReadonlyArray<tf.Tensor>,
  forward: (save: (tensors: Array<tf.Tensor>) => void) => tf.Tensor,
  backward: (dy: tf.Tensor, saved: ReadonlyArray<tf.Tensor>) => Array<tf.Tensor>,
): tf.Tensor =>
  tf.customGrad((...args) => {
    const save = args.at(-1)
    if (typeof save !== "function") throw new Error("internal: tfjs passed no save function to a custom gradient")
    return { value: forward(save), gradFunc: backward }
  })(...inputs)

/** Runs a fused operation: one equation while capturing, its decomposition on every other backend. */
export const runFused = (op: string, inputs: Readonly<Record<string, tf.Tensor>>, attrs: Attrs): Array<tf.Tensor> => {
  if (capturing()) {
    const made = tf.engine().runKernel<tf.Tensor | Array<tf.Tensor>>(op, { ...inputs }, { ...attrs } as tf.NamedAttrMap)
    return Array.isArray(made) ? made : [made]
  }
  const plain = decompose.get(op)
  if (plain === undefined) throw new Error(`internal: ${op} has no decomposition`)
  return [...plain(Object.values(inputs), attrs)]
}
