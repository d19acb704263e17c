/**
 * The gradient of einsum, which tfjs has none of: another einsum, of dy with the other operand. Not tfjs's kernel, which
 * on cpu returns another shape where a label is summed in one operand alone.
 */
import * as tf from "@tensorflow/tfjs-core"
import { einsum } from "../program/einsum.js"

const gradient = (
  dy: tf.Tensor,
  out: string,
  [own, other]: readonly [string, string | undefined],
  [x, beside]: readonly [tf.Tensor, tf.Tensor | undefined],
): tf.Tensor => {
  const known = [...own].filter((label) => out.includes(label) || other?.includes(label))
  const sum =
    other === undefined || beside === undefined
      ? einsum(`${out}->${known.join("")}`, [dy])
      : einsum(`${out},${other}->${known.join("")}`, [dy, beside])
  // What was summed away in this operand alone gets the same gradient everywhere.
  const shape = [...own].map((label, axis) => (known.includes(label) ? x.shape[axis]! : 1))
  return known.length === own.length ? sum : tf.broadcastTo(tf.reshape(sum, shape), x.shape)
}

/** Adds the gradient to tfjs. */
export const registerEinsumGradient = (): void =>
  tf.registerGradient({
    kernelName: "Einsum",
    saveAllInputs: true,
    gradFunc: (dy, saved, attrs) => {
      const [left, out] = String(attrs.equation).replaceAll(" ", "").split("->")
      const terms = left!.split(",")
      if (Array.isArray(dy) || out === undefined) throw new Error("internal: malformed Einsum")
      return Object.fromEntries(
        saved.map((x, i) => [i, () => gradient(dy, out, [terms[i]!, terms[1 - i]], [x, saved[1 - i]])]),
      )
    },
  })
