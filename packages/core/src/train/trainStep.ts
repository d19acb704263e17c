/** A whole training step as one tensor function: forward, backward, clipping, schedule and AdamW. */
import type { TensorFunction } from "../engine.js"
import { BadConfig } from "../errors.js"
import type { Objective } from "../objective.js"
import { float32, type HostTensor, type HostTensors, type Specs, sizeOf } from "../tensor.js"
import { applyGradients, learningState, paramsOf, slots, type UpdateConfig } from "./applyGradients.js"
import { lossGradients } from "./lossGradients.js"

export interface TrainStepConfig extends UpdateConfig {
  readonly inputs: Specs
}

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
  return {
    name: `${objective.name}.step`,
    state: { ...learningState(objective, config), [slots.frozen]: paramsOf(objective, frozenNames(objective)) },
    inputs: config.inputs,
    commitIf: "finite",
    body: (state, inputs) => {
      const params = { ...state[slots.frozen], ...state[slots.params] }
      const { loss, reported, grads } = lossGradients(objective, params, inputs, trainable)
      const updated = applyGradients(objective, config, state, loss, grads)
      return { outputs: { loss, ...reported, ...updated.outputs }, state: updated.state }
    },
  }
}
