/** A tensor operation with a gradient of its own. */
import * as tf from "@tensorflow/tfjs-core"
import { decompose } from "../program/fused.js"
import { capturing } from "../program/recording.js"
import type { Attrs } from "../program/shapes.js"
import { nativeDifferentiable, nativeFused } from "./native.js"

/** What a backend may know an operation as. */
export interface Named {
  readonly op: string
  readonly attrs?: Attrs
  /** What it takes besides the inputs, and gives no gradient of. */
  readonly beside?: ReadonlyArray<tf.Tensor>
}

/**
 * The value of `forward`, whose gradient with respect to `inputs` is what `backward` gives, one tensor an input.
 * `backward` sees the tensors that `forward` saves and no others: its own may be gone by then. What it makes on the way
 * is freed at once: a tape would keep it until the whole gradient is there.
 * @param named  a backend with an operation of that name runs its own in their place
 */
export const differentiable = (
  inputs: ReadonlyArray<tf.Tensor>,
  forward: (save: (tensors: Array<tf.Tensor>) => void) => tf.Tensor,
  backward: (dy: tf.Tensor, saved: ReadonlyArray<tf.Tensor>) => Array<tf.Tensor>,
  named?: Named,
): tf.Tensor =>
  tf.customGrad((...args) => {
    const save = args.at(-1)
    if (typeof save !== "function") throw new Error("internal: tfjs passed no save function to a custom gradient")
    const own = named === undefined ? undefined : nativeDifferentiable(named.op)
    if (named === undefined || own === undefined) {
      return { value: forward(save), gradFunc: (dy, saved) => tf.tidy(() => backward(dy, saved)) }
    }
    const { attrs = {}, beside = [] } = named
    const { value, saved } = own.forward([...inputs, ...beside], attrs)
    save([...saved])
    return { value, gradFunc: (dy, saved) => tf.tidy(() => own.backward(dy, saved, attrs)) }
  })(...inputs)

/** Runs a fused operation: one equation while capturing, a backend's own where it has one, else its decomposition. */
export const runFused = (op: string, inputs: Readonly<Record<string, tf.Tensor>>, attrs: Attrs): Array<tf.Tensor> => {
  if (capturing()) {
    const made = tf.engine().runKernel<tf.Tensor | Array<tf.Tensor>>(op, { ...inputs }, { ...attrs } as tf.NamedAttrMap)
    return Array.isArray(made) ? made : [made]
  }
  const own = nativeFused(op)
  if (own !== undefined) return [...own(Object.values(inputs), attrs)]
  const plain = decompose.get(op)
  if (plain === undefined) throw new Error(`internal: ${op} has no decomposition`)
  return [...plain(Object.values(inputs), attrs)]
}
