/** The sigmoid linear units, with SigmoidGrad. */
import * as tf from "@tensorflow/tfjs-core"
import { numberOf } from "../program/shapes.js"
import type { Row } from "./row.js"

/** x σ(α x). The gradient is σ + α x σ (1 − σ). */
export const quickGeluRow: Row = {
  name: "QuickGelu",
  raw: ["SigmoidGrad"],
  differentiable: (raw) => ({
    forward: ([x], attrs) => {
      const alpha = numberOf(attrs, "alpha")
      const scaled = alpha === 1 && x!.dtype === "float32" ? x! : tf.mul(x!, tf.scalar(alpha))
      const s = tf.sigmoid(scaled)
      return { value: tf.mul(x!, s), saved: [scaled, s] }
    },
    backward: (dy, [scaled, s]) => {
      const [bent] = raw("SigmoidGrad", [s!, scaled!])
      return [tf.mul(dy, tf.add(s!, bent!))]
    },
  }),
}
