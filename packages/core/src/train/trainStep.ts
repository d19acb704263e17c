/** A whole training step as one tensor function: forward, backward, clipping, schedule and AdamW. */
import * as tf from "@tensorflow/tfjs-core"
import type { TensorFunction } from "../engine.js"
import { BadConfig } from "../errors.js"
import type { Objective } from "../objective.js"
import { float32, type HostTensor, type HostTensors, type Specs, sizeOf, spec } from "../tensor.js"
import { type AdamW, adamWReach, adamWStep, adamWUpdate, clipScale, globalNorm } from "./adamw.js"
import { type Average, averageFactors, averageUpdate } from "./average.js"
import { learningRate, type Schedule } from "./schedule.js"

export interface TrainStepConfig {
  readonly inputs: Specs
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

/** State slots of a training step. */
export const slots = { params: "params", frozen: "frozen", optimizer: "optimizer", average: "average" } as const

const specsOf = (objective: Objective, names: ReadonlyArray<string>): Specs =>
  Object.fromEntries(names.map((name) => [name, spec("float32", objective.paramSpecs[name]!.shape)]))

/** The names of an objective's frozen parameters. */
export const frozenNames = (objective: Objective): ReadonlyArray<string> => {
  const learning = new Set(objective.trainable)
  return Object.keys(objective.paramSpecs).filter((name) => !learning.has(name))
}

/** The optimiser's state before the first step: zero moments and a zero step count. */
export const initOptimizer = (objective: Objective): HostTensors => {
  const state: Record<string, HostTensor> = { step: float32([], [0]) }
  for (const name of objective.trainable) {
    const { shape } = objective.paramSpecs[name]!
    const size = sizeOf(shape)
    state[`first.${name}`] = float32(shape, new Float32Array(size))
    state[`second.${name}`] = float32(shape, new Float32Array(size))
  }
  return state
}

/**
 * One step of training.
 *
 * State   `params` the trainable parameters, `frozen` the others, `optimizer` moments and step count, `average` where one
 *         is kept
 * Outputs every output of the objective, `gradientNorm`, `learningRate` (float32 scalars) and `finite` (bool scalar)
 *
 * A step whose loss, gradient or new parameters are not finite changes nothing: `finite` guards the commit. A parameter
 * with a largest value is projected below it after its update (`ParamSpec.max`).
 * @throws BadConfig  nothing in the objective learns
 */
export const trainStep = (objective: Objective, config: TrainStepConfig): TensorFunction => {
  const { trainable } = objective
  if (trainable.length === 0) {
    throw new BadConfig({
      where: objective.name,
      expected: "at least one parameter that learns",
      received: "an objective whose nodes are all frozen or have no parameters",
      fix: "leave at least one node of the objective unfrozen",
    })
  }
  const params = specsOf(objective, trainable)
  const moments = Object.fromEntries(
    trainable.flatMap((name) => [
      [`first.${name}`, params[name]!],
      [`second.${name}`, params[name]!],
    ]),
  )
  const rateOf = (name: string): number =>
    Object.entries(config.rates ?? {}).find(([prefix]) => name.startsWith(prefix))?.[1] ?? 1

  return {
    name: `${objective.name}.step`,
    state: {
      [slots.params]: params,
      [slots.frozen]: specsOf(objective, frozenNames(objective)),
      [slots.optimizer]: { step: spec("float32", []), ...moments },
      ...(config.average === undefined ? {} : { [slots.average]: params }),
    },
    inputs: config.inputs,
    commitIf: "finite",
    body: (state, inputs) => {
      const current = state[slots.params]!
      const optimizer = state[slots.optimizer]!
      let reported: Record<string, tf.Tensor> = {}
      const lossOf = (...learning: ReadonlyArray<tf.Tensor>): tf.Scalar => {
        const all = { ...state[slots.frozen], ...Object.fromEntries(trainable.map((name, i) => [name, learning[i]!])) }
        const { loss, ...others } = objective.apply(all, inputs)
        if (loss === undefined || loss.rank !== 0) {
          throw new BadConfig({
            where: objective.name,
            expected: "a scalar output named loss",
            received: loss === undefined ? "no such output" : `an output of shape [${loss.shape.join(", ")}]`,
            fix: 'end the objective\'s graph with .output("loss", …)',
          })
        }
        // tf disposes what a gradient function made but did not return, so what is reported must be kept.
        reported = Object.fromEntries(Object.entries(others).map(([name, value]) => [name, tf.keep(value)]))
        return loss as tf.Scalar
      }
      const { value: loss, grads } = tf.valueAndGrads(lossOf)(trainable.map((name) => current[name]!))
      const outputs: Record<string, tf.Tensor> = { loss }
      for (const [name, value] of Object.entries(reported)) {
        outputs[name] = tf.clone(value)
        value.dispose()
      }

      const step = optimizer.step as tf.Scalar
      const norm = globalNorm(grads)
      const rate = learningRate(config.schedule, step, config.steps)
      const clip = clipScale(norm, config.clip)
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
        const { shape, decay, max } = objective.paramSpecs[name]!
        const updated = adamWUpdate(
          config.optimizer,
          stepAt(rateOf(name)),
          current[name]!,
          grads[i]!,
          { first: optimizer[`first.${name}`]!, second: optimizer[`second.${name}`]! },
          decay ?? shape.length >= 2,
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
      const count = trainable.reduce((n, name) => n + sizeOf(params[name]!.shape), 0)
      const reached = [...steps.values()].map((at) => {
        const reach = adamWReach(config.optimizer, at, size, count, config.clip)
        return tf.square(reach)
      })
      const finite = [loss, norm, ...reached]
        .map((x): tf.Tensor => tf.isFinite(x))
        .reduce((all, x) => tf.logicalAnd(all, x))
      return {
        outputs: { ...outputs, gradientNorm: norm, learningRate: rate, finite },
        state: {
          [slots.params]: newParams,
          [slots.optimizer]: newOptimizer,
          ...(factors === null ? {} : { [slots.average]: newAverage }),
        },
      }
    },
  }
}
