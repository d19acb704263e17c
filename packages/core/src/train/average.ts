/** An exponential moving average of weights, kept beside them: what is evaluated and sampled from in place of the last ones. */
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { float32, type HostTensors } from "../tensor.js"

/**
 * average ← decay · average + (1 − decay) · weights.
 *
 * Decays: 0.992 InstructGPT, 0.9999 unCLIP's diffusion models and 0.999 its autoregressive prior, 0.99 every 25 steps DALL·E.
 */
export const Average = Schema.Struct({
  decay: Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1, exclusiveMaximum: true })),
  /**
   * weights  it begins as the weights before the first step, of which decayⁿ stays in it after n updates
   * zero     it begins as 0 and is divided by 1 − decayⁿ when it is read, as Adam's moments are: none of the first weights stays
   */
  start: Schema.Literals(["weights", "zero"]),
  /** Steps from one update to the next; by default 1. */
  every: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))),
})
export type Average = typeof Average.Type

/**
 * What an average and the weights are multiplied with after a step.
 * @param step  steps done before this one   float32  scalar
 */
export const averageFactors = (
  { decay, every = 1 }: Average,
  step: tf.Scalar,
): { readonly keep: tf.Scalar; readonly take: tf.Scalar } => {
  if (every === 1) return { keep: tf.scalar(decay), take: tf.scalar(1 - decay) }
  const due = tf.equal(tf.mod(tf.add(step, 1), every), 0)
  return {
    keep: tf.where(due, tf.scalar(decay), tf.scalar(1)) as tf.Scalar,
    take: tf.where(due, tf.scalar(1 - decay), tf.scalar(0)) as tf.Scalar,
  }
}

/** The average of one parameter after a step that left it as `param`. */
export const averageUpdate = (
  { keep, take }: ReturnType<typeof averageFactors>,
  average: tf.Tensor,
  param: tf.Tensor,
): tf.Tensor => tf.add(tf.mul(average, keep), tf.mul(param, take))

/** The average before the first step. @param params  the weights then, by name */
export const initAverage = ({ start }: Average, params: HostTensors): HostTensors =>
  Object.fromEntries(
    Object.entries(params).map(([name, { shape, data }]) => [
      name,
      float32(shape, start === "weights" ? Float32Array.from(data) : new Float32Array(data.length)),
    ]),
  )

/**
 * Whether an average says nothing yet: it began as 0, and no step has added to it.
 * @param steps  steps done
 */
export const isEmptyAverage = ({ start, every = 1 }: Average, steps: number): boolean =>
  start === "zero" && steps < every

/**
 * The averaged weights, from the state of an average.
 * @param steps  steps done; of an empty average the result is the state, 0
 * @law   weights that never change are their own average
 */
export const averagedWeights = (
  { decay, start, every = 1 }: Average,
  state: HostTensors,
  steps: number,
): HostTensors => {
  const updates = Math.floor(steps / every)
  if (start === "weights" || updates === 0) return state
  // Of a decay next to 1 this keeps the digits that 1 − decayⁿ loses.
  const whole = -Math.expm1(updates * Math.log(decay))
  return Object.fromEntries(
    Object.entries(state).map(([name, { shape, data }]) => [
      name,
      float32(
        shape,
        Float32Array.from(data, (x) => x / whole),
      ),
    ]),
  )
}
