/** What can be profiled: a tensor function with the state that it starts from. */
import type { TensorFunction } from "../engine.js"
import { initParams } from "../initParams.js"
import type { Objective } from "../objective.js"
import { keyFromSeed } from "../random/key.js"
import type { HostTensors, Specs } from "../tensor.js"
import { slots } from "../train/applyGradients.js"
import { initAverage } from "../train/average.js"
import { forward } from "../train/forward.js"
import { frozenNames, initOptimizer, type TrainStepConfig, trainStep } from "../train/trainStep.js"

export interface Subject {
  readonly fn: TensorFunction
  /** The first values of the function's state, by slot; made when they are first asked for. */
  readonly state: Readonly<Record<string, HostTensors>>
  /** The objective that the function is of. */
  readonly objective?: Objective
}

const pick = (tensors: HostTensors, names: ReadonlyArray<string>): HostTensors =>
  Object.fromEntries(names.map((name) => [name, tensors[name]!]))

type FirstValues = Subject["state"]

/** Weights are large, and who asks for the function alone needs none. */
const withState = (subject: Omit<Subject, "state">, make: () => FirstValues): Subject => {
  let made: FirstValues | undefined
  return {
    ...subject,
    get state() {
      made ??= make()
      return made
    },
  }
}

/**
 * An objective's training step, from fresh parameters.
 * @throws BadConfig  nothing in the objective learns
 */
export const trainingSubject = (objective: Objective, config: TrainStepConfig): Subject =>
  withState({ objective, fn: trainStep(objective, config) }, () => {
    const initial = initParams(objective.paramSpecs, keyFromSeed(0))
    const params = pick(initial, objective.trainable)
    return {
      [slots.params]: params,
      [slots.frozen]: pick(initial, frozenNames(objective)),
      [slots.optimizer]: initOptimizer(objective),
      ...(config.average === undefined ? {} : { [slots.average]: initAverage(config.average, params) }),
    }
  })

/** An objective's forward pass, from fresh parameters. */
export const forwardSubject = (
  objective: Objective,
  inputs: Specs,
  places?: Readonly<Record<string, string>>,
): Subject => {
  const fn = forward(objective, inputs, places)
  return withState({ objective, fn }, () => {
    const initial = initParams(objective.paramSpecs, keyFromSeed(0))
    return Object.fromEntries(
      Object.entries(fn.state).map(([slot, specs]) => [slot, pick(initial, Object.keys(specs))]),
    )
  })
}
