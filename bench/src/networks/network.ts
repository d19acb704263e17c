/** What a benchmark trains: an objective, the types of its inputs, and a batch of them. */
import {
  flatten,
  type HostTensors,
  isParamSpec,
  type Key,
  mapTree,
  type Objective,
  type ParamSpec,
  type ParamsOf,
  type Specs,
  spec,
  type Tensors,
  type Tree,
} from "@millrace/core"
import type * as tf from "@tensorflow/tfjs-core"

/** A network with its loss, at one size. */
export interface Network {
  readonly objective: Objective
  readonly inputs: Specs
  readonly batch: HostTensors
}

/** The objective that a loss over a tree of parameters is. All of them learn. */
export const objectiveFrom = <P extends Tree<ParamSpec>>(
  name: string,
  params: P,
  loss: (params: ParamsOf<P>, inputs: Tensors) => tf.Tensor,
): Objective => {
  const paramSpecs = flatten<ParamSpec>(params, isParamSpec)
  return {
    name,
    paramSpecs,
    trainable: Object.keys(paramSpecs),
    apply: (given, inputs) => ({
      loss: loss(mapTree(params, isParamSpec, (path) => given[path]!) as ParamsOf<P>, inputs),
    }),
  }
}

/** The types of a batch. */
export const specsOfBatch = (batch: HostTensors): Specs =>
  Object.fromEntries(Object.entries(batch).map(([name, { dtype, shape }]) => [name, spec(dtype, shape)]))

export type BatchOf<Config> = (config: Config, key: Key) => HostTensors
