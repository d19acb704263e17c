/** AdamW as a gradient transform: state in, state out, nothing stored. */
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { nativeFused } from "../ops/native.js"

/** What a moment keeps of itself each step. */
const Decay = Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1, exclusiveMaximum: true }))

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2). `epsilon` is added after the bias
 * correction of the second moment, as in PyTorch; lm-human-preferences uses TensorFlow's form, before it.
 */
export const AdamW = Schema.Struct({
  beta1: Decay,
  beta2: Decay,
  /** Above 0: a gradient that is always 0 would otherwise be divided by 0. */
  epsilon: Schema.Number.check(Schema.isGreaterThan(0)),
  /** Applied to parameters with two axes or more. */
  weightDecay: Schema.Number.check(Schema.isGreaterThanOrEqualTo(0)),
})
export type AdamW = typeof AdamW.Type

/** InstructGPT, appendix C: β = (0.9, 0.95). */
export const adamW: AdamW = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.01 }

type Moments = {
  readonly first: tf.Tensor
  readonly second: tf.Tensor
}

/** The scalars of one step, shared by all parameters. */
export interface AdamWStep {
  /** What clipping multiplies every gradient with. */
  readonly clip: tf.Scalar
  /** β₁, and what the gradient is multiplied with: (1 − β₁) · clip. */
  readonly gradientScale: tf.Scalar
  readonly squareScale: tf.Scalar
  readonly epsilon: tf.Scalar
  readonly stepSize: tf.Scalar
  readonly keep: tf.Scalar
}

/**
 * What one step needs besides the gradients, each computed once.
 * @param step  steps done before this one   float32  scalar
 * @param rate  the learning rate            float32  scalar
 * @param clip  what clipping multiplies every gradient with   float32  scalar
 */
export const adamWStep = (config: AdamW, step: tf.Scalar, rate: tf.Scalar, clip: tf.Scalar): AdamWStep => {
  const count = tf.add(step, 1)
  const correction1 = tf.sub(1, tf.pow(config.beta1, count))
  const correction2 = tf.sqrt(tf.sub(1, tf.pow(config.beta2, count)))
  return {
    clip,
    gradientScale: tf.mul(clip, 1 - config.beta1),
    squareScale: tf.mul(tf.square(clip), 1 - config.beta2),
    epsilon: tf.mul(correction2, config.epsilon),
    stepSize: tf.div(tf.mul(rate, correction2), correction1),
    keep: tf.sub(1, tf.mul(rate, config.weightDecay)),
  }
}

/**
 * One parameter after one step: p ← p·(1 − rate·decay) − rate · m̂ / (√v̂ + ε), with the bias corrections moved into the
 * scalars, so that a parameter costs as few passes over memory as possible.
 */
export const adamWUpdate = (
  config: AdamW,
  at: AdamWStep,
  param: tf.Tensor,
  gradient: tf.Tensor,
  moments: Moments,
  decays: boolean,
): Moments & { readonly param: tf.Tensor } => {
  const own = nativeFused("AdamW")
  if (own !== undefined) {
    const scalars =
      decays && config.weightDecay > 0
        ? [at.clip, at.stepSize, at.epsilon, at.keep]
        : [at.clip, at.stepSize, at.epsilon]
    const [newParam, first, second] = own([param, gradient, moments.first, moments.second, ...scalars], { ...config })
    return { param: newParam!, first: first!, second: second! }
  }
  const first = tf.add(tf.mul(moments.first, config.beta1), tf.mul(gradient, at.gradientScale))
  const second = tf.add(tf.mul(moments.second, config.beta2), tf.mul(tf.square(gradient), at.squareScale))
  const direction = tf.div(first, tf.add(tf.sqrt(second), at.epsilon))
  const kept = decays && config.weightDecay > 0 ? tf.mul(param, at.keep) : param
  return { first, second, param: tf.sub(kept, tf.mul(direction, at.stepSize)) }
}

/**
 * What |m| / √v cannot exceed, before the bias corrections, whatever the gradients were: by Cauchy–Schwarz over their
 * history, as long as β₁² < β₂.
 * Without that only clipping bounds it, which keeps every moment within the limit, and ε, which bounds the divisor.
 */
const largestDirection = ({ beta1, beta2, epsilon }: AdamW, limit: number): number =>
  beta1 ** 2 < beta2 ? (1 - beta1) / Math.sqrt((1 - beta2) * (1 - beta1 ** 2 / beta2)) : limit / epsilon

/**
 * What the global norm of all parameters cannot exceed after a step. A parameter that does not decay keeps all of itself.
 * @param size   their global norm before it   float32  scalar
 * @param count  how many numbers they are
 * @param limit  the largest global norm of the gradients
 */
export const adamWReach = (config: AdamW, at: AdamWStep, size: tf.Scalar, count: number, limit: number): tf.Scalar =>
  tf.add(
    tf.mul(size, tf.maximum(tf.abs(at.keep), 1)),
    tf.mul(at.stepSize, largestDirection(config, limit) * Math.sqrt(count)),
  )

const sumOfSquares = (x: tf.Tensor): tf.Tensor => nativeFused("SumOfSquares")?.([x], {})[0] ?? tf.sum(tf.square(x))

/** √ Σ x² over all entries of all tensors. */
export const globalNorm = (tensors: ReadonlyArray<tf.Tensor>): tf.Scalar =>
  tf.sqrt(tf.addN(tensors.map(sumOfSquares))) as tf.Scalar

/** What every gradient is multiplied with so that their global norm is at most `limit` (Pascanu et al. 2013). */
export const clipScale = (norm: tf.Scalar, limit: number): tf.Scalar =>
  tf.minimum(tf.div(limit, tf.maximum(norm, limit)), 1) as tf.Scalar
