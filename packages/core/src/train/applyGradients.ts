/** The second half of a training step: gradients are clipped, and AdamW moves what learns. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensors } from "../engine.js"
import type { Objective } from "../objective.js"
import { type Specs, sizeOf, spec } from "../tensor.js"
import { type AdamW, adamWReach, adamWStep, adamWUpdate, clipScale, globalNorm } from "./adamw.js"
import { type Average, averageFactors, averageUpdate } from "./average.js"
import { learningRate, type Schedule } from "./schedule.js"

/** How gradients become a step. */
export interface UpdateConfig {
  readonly optimizer: AdamW
  readonly schedule: Schedule
  /** Steps of the whole stage, for the schedule. */
  readonly steps: number
  /** The largest global norm of the gradients, above 0; InstructGPT's predecessors use 1. */
  readonly clip: number
  /** Multiplies the learning rate of the parameters whose name starts so; the first match counts. */
  readonly rates?: Readonly<Record<string, number>>
  /** Keeps an average of the trainable parameters in the slot `average`; it begins as `initAverage` has it. */
  readonly average?: Average
}

/** State slots of a training step; `gradients` are summed in the engine where a step has parts. */
export const slots = {
  params: "params",
  frozen: "frozen",
  optimizer: "optimizer",
  average: "average",
  gradients: "gradients",
} as const

/** What an objective needs, and what of it learns. */
export type Learner = Pick<Objective, "paramSpecs" | "trainable">

/** Types of named parameters. */
export const paramsOf = ({ paramSpecs }: Learner, names: ReadonlyArray<string>): Specs =>
  Object.fromEntries(names.map((name) => [name, spec("float32", paramSpecs[name]!.shape)]))

/** State that a step of the optimiser changes: `params`, `optimizer`, and `average` where one is kept. */
export const learningState = (
  learner: Learner,
  { average }: Pick<UpdateConfig, "average">,
): Readonly<Record<string, Specs>> => {
  const params = paramsOf(learner, learner.trainable)
  const moments = Object.fromEntries(
    Object.entries(params).flatMap(([name, type]) => [
      [`first.${name}`, type],
      [`second.${name}`, type],
    ]),
  )
  return {
    [slots.params]: params,
    [slots.optimizer]: { step: spec("float32", []), ...moments },
    ...(average === undefined ? {} : { [slots.average]: params }),
  }
}

/**
 * One step of the optimiser.
 * @param state  that of `learningState`
 * @param grads  of what learns, in its order
 * @returns      outputs `gradientNorm`, `learningRate` and `finite`; the new state
 */
export const applyGradients = (
  { paramSpecs, trainable }: Learner,
  config: UpdateConfig,
  state: Readonly<Record<string, Tensors>>,
  loss: tf.Tensor,
  grads: ReadonlyArray<tf.Tensor>,
): { readonly outputs: Tensors; readonly state: Readonly<Record<string, Tensors>> } => {
  const current = state[slots.params]!
  const optimizer = state[slots.optimizer]!
  const step = optimizer.step as tf.Scalar
  const norm = globalNorm(grads)
  const rate = learningRate(config.schedule, step, config.steps)
  const clip = clipScale(norm, config.clip)
  const rateOf = (name: string): number =>
    Object.entries(config.rates ?? {}).find(([prefix]) => name.startsWith(prefix))?.[1] ?? 1
  const steps = new Map<number, ReturnType<typeof adamWStep>>()
  const stepAt = (factor: number): ReturnType<typeof adamWStep> => {
    const known = steps.get(factor)
    if (known !== undefined) return known
    const made = adamWStep(config.optimizer, step, factor === 1 ? rate : tf.mul(rate, factor), clip)
    steps.set(factor, made)
    return made
  }
  const newParams: Record<string, tf.Tensor> = {}
  const newOptimizer: Record<string, tf.Tensor> = { step: tf.add(step, 1) }
  trainable.forEach((name, i) => {
    const { shape, decay, max } = paramSpecs[name]!
    const at = stepAt(rateOf(name))
    // What is made on the way is freed parameter by parameter.
    const updated = tf.tidy(() =>
      adamWUpdate(
        config.optimizer,
        at,
        current[name]!,
        grads[i]!,
        { first: optimizer[`first.${name}`]!, second: optimizer[`second.${name}`]! },
        decay ?? shape.length >= 2,
      ),
    )
    newParams[name] = max === undefined ? updated.param : tf.minimum(updated.param, max)
    newOptimizer[`first.${name}`] = updated.first
    newOptimizer[`second.${name}`] = updated.second
  })

  const factors = config.average === undefined ? null : averageFactors(config.average, step)
  const newAverage =
    factors === null
      ? {}
      : Object.fromEntries(
          trainable.map((name) => [name, averageUpdate(factors, state[slots.average]![name]!, newParams[name]!)]),
        )

  // A rate that is far too high overflows here first, when loss and gradients are still finite. The bound stands in
  // for the new parameters: nothing but the engine's update then reads them, and they can replace the old ones in place.
  const size = globalNorm(trainable.map((name) => current[name]!))
  const count = trainable.reduce((n, name) => n + sizeOf(paramSpecs[name]!.shape), 0)
  const reached = [...steps.values()].map((at) => {
    const reach = adamWReach(config.optimizer, at, size, count, config.clip)
    return tf.square(reach)
  })
  const finite = [loss, norm, ...reached]
    .map((x): tf.Tensor => tf.isFinite(x))
    .reduce((all, x) => tf.logicalAnd(all, x))
  return {
    outputs: { gradientNorm: norm, learningRate: rate, finite },
    state: {
      [slots.params]: newParams,
      [slots.optimizer]: newOptimizer,
      ...(factors === null ? {} : { [slots.average]: newAverage }),
    },
  }
}
