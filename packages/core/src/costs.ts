/** What an objective takes to run and to train, told from its shapes: nothing is computed and no weight is allocated. */
import * as tf from "@tensorflow/tfjs-core"
import type { TensorFunction, Tensors } from "./engine.js"
import type { Objective } from "./objective.js"
import { captureSync } from "./program/capture.js"
import { flopsOf } from "./program/flops.js"
import type { Program } from "./program/ir.js"
import { bytesOf, liveness } from "./program/liveness.js"
import { type Specs, sizeOf, spec } from "./tensor.js"
import { forward } from "./train/forward.js"

export interface Costs {
  /** Numbers that learn, and numbers that are frozen. */
  readonly parameters: { readonly trainable: number; readonly frozen: number }
  /** Arithmetic of matrix products and convolutions; a multiplication and an addition count as two. */
  readonly flops: { readonly forward: number; readonly training: number }
  /** Bytes. */
  readonly memory: {
    readonly weights: number
    readonly gradients: number
    /** First and second moments of Adam. */
    readonly optimizer: number
    /** The most that lives at once of what a forward pass makes. */
    readonly forward: number
    /** The most that lives at once of what a forward and a backward pass make, gradients of parameters apart. */
    readonly training: number
  }
}

const flops = ({ equations }: Program): number => equations.reduce((sum, equation) => sum + flopsOf(equation), 0)

/** The outputs that gradients can come from, as one list of numbers. */
const flattened = (outputs: Tensors): tf.Tensor =>
  tf.concat(
    Object.values(outputs)
      .filter(({ dtype }) => dtype === "float32")
      .map((output) => tf.reshape(output, [-1])),
  )

/** The gradients of an objective's outputs, each weighed by an input. */
const backward = (objective: Objective, inputs: Specs, outputs: Program["outputs"]): TensorFunction => {
  const { paramSpecs, trainable } = objective
  const floats = outputs.filter(({ value }) => value.dtype === "float32")
  const weights = floats.reduce((sum, { value }) => sum + sizeOf(value.shape), 0)
  return {
    name: objective.name,
    state: {
      params: Object.fromEntries(Object.entries(paramSpecs).map(([name, { shape }]) => [name, spec("float32", shape)])),
    },
    inputs: { ...inputs, "cost weights": spec("float32", [weights]) },
    body: ({ params }, given) => {
      const loss = (...learning: ReadonlyArray<tf.Tensor>): tf.Tensor => {
        const moved = Object.fromEntries(trainable.map((name, i) => [name, learning[i]!]))
        return flattened(objective.apply({ ...params, ...moved }, given))
      }
      const at = trainable.map((name) => params![name]!)
      const grads = tf.grads(loss)(at, given["cost weights"])
      return { outputs: Object.fromEntries(trainable.map((name, i) => [name, grads[i]!])) }
    },
  }
}

/**
 * The costs of an objective for inputs of given shapes, at any size, in a fraction of a second.
 * @throws NodeFailed, UnsupportedOp, ValueDuringCapture  as capturing it would
 */
export const costs = (objective: Objective, inputs: Specs): Costs => {
  const { paramSpecs, trainable } = objective
  const count = (names: ReadonlyArray<string>): number =>
    names.reduce((sum, name) => sum + sizeOf(paramSpecs[name]!.shape), 0)
  const all = count(Object.keys(paramSpecs))
  const learning = count(trainable)
  const weights = bytesOf(spec("float32", [all]))
  const once = captureSync(forward(objective, inputs))
  const both = trainable.length === 0 ? once : captureSync(backward(objective, inputs, once.outputs))
  return {
    parameters: { trainable: learning, frozen: all - learning },
    flops: { forward: flops(once), training: flops(both) },
    memory: {
      weights,
      gradients: bytesOf(spec("float32", [learning])),
      optimizer: 2 * bytesOf(spec("float32", [learning])),
      forward: liveness(once).peak,
      // A gradient counts while it is made; then it is one of `gradients`.
      training: liveness({ ...both, outputs: [] }).peak,
    },
  }
}
