/** A parameter's step of AdamW, with ResourceApplyAdam. */
import * as tf from "@tensorflow/tfjs-core"
import { numberOf } from "../program/shapes.js"
import type { Raw } from "./raw.js"
import type { Row } from "./row.js"

const names = ["param", "first", "second"] as const

/** Variables that a parameter and its moments are put into for the time of one step. They have no shape of their own. */
const variables = (raw: Raw): ReadonlyArray<tf.Tensor> =>
  names.map((name) =>
    tf.keep(
      raw("VarHandleOp", [], {
        dtype: { type: "float32" },
        shape: { shape: [] },
        shared_name: { text: `millrace.${name}` },
      })[0]!,
    ),
  )

/**
 * ResourceApplyAdam changes variables where they are, in one pass over all of them. Tensors are put into variables and taken
 * out again without being copied; but one that somebody else holds, such as the state before the step, is copied before it is
 * changed. The bias corrections are in the step size and in ε already: β₁ᵗ and β₂ᵗ are given as 0.
 */
export const adamWRow: Row = {
  name: "AdamW",
  raw: ["ResourceApplyAdam"],
  fused: (raw) => {
    let made: { handles: ReadonlyArray<tf.Tensor>; none: tf.Tensor } | null = null
    return ([param, gradient, first, second, clip, stepSize, epsilon, keep], attrs) => {
      made ??= { handles: variables(raw), none: tf.keep(tf.scalar(0)) }
      const { handles, none } = made
      const assign = (i: number, value: tf.Tensor) => raw("AssignVariableOp", [handles[i]!, value], {}, 0)
      if (keep === undefined) assign(0, param!)
      else {
        const kept = tf.mul(param!, keep)
        assign(0, kept)
        kept.dispose()
      }
      assign(1, first!)
      assign(2, second!)
      const [beta1, beta2] = [tf.scalar(numberOf(attrs, "beta1")), tf.scalar(numberOf(attrs, "beta2"))]
      const clipped = tf.mul(gradient!, clip!)
      raw("ResourceApplyAdam", [...handles, none, none, stepSize!, beta1, beta2, epsilon!, clipped], {}, 0)
      return handles.map((handle) => raw("ReadVariableOp", [handle], { dtype: { type: "float32" } })[0]!)
    }
  },
}
