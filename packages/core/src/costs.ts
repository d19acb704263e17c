/** What an objective takes to run and to train, told from its shapes: nothing is computed and no weight is allocated. */
import * as tf from "@tensorflow/tfjs-core"
import type { Objective } from "./objective.js"
import { captureSync } from "./program/capture.js"
import { flopsOf } from "./program/flops.js"
import type { Program } from "./program/ir.js"
import { bytesOf, liveness } from "./program/liveness.js"
import { active } from "./program/recording.js"
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

/** A tensor of which nothing but its shape is known, and that no memory is counted for. */
const unknown = (shape: ReadonlyArray<number>): tf.Tensor =>
  tf.engine().makeTensorFromTensorInfo(active().tensor(active().value(spec("float32", shape))))

/** A number that depends on a tensor, whose gradient there is unknown. */
const weighed = tf.customGrad((y) => ({ value: unknown([]), gradFunc: () => unknown((y as tf.Tensor).shape) }))

/** A forward pass alone, and the same followed by the gradients of its outputs, each weighed by an unknown number. */
interface Passes {
  readonly once: Program
  readonly both: Program
}

/** From one capture: both begin with the same equations. */
const passesOf = (objective: Objective, inputs: Specs): Passes => {
  const once = forward(objective, inputs)
  const { trainable } = objective
  if (trainable.length === 0) {
    const program = captureSync(once)
    return { once: program, both: program }
  }
  let end = 0
  let outputs: Program["outputs"] = []
  const both = captureSync({
    ...once,
    body: ({ params }, given) => {
      const loss = (...learning: ReadonlyArray<tf.Tensor>): tf.Tensor => {
        const moved = Object.fromEntries(trainable.map((name, i) => [name, learning[i]!]))
        const made = objective.apply({ ...params, ...moved }, given)
        end = active().equations.length
        outputs = Object.entries(made).map(([name, output]) => ({ name, slot: null, value: active().valueOf(output) }))
        const floats = Object.values(made).filter(({ dtype }) => dtype === "float32")
        return weighed(tf.concat(floats.map((output) => tf.reshape(output, [-1]))))
      }
      const grads = tf.grads(loss)(trainable.map((name) => params![name]!))
      return { outputs: Object.fromEntries(trainable.map((name, i) => [name, grads[i]!])) }
    },
  })
  return { once: { ...both, equations: both.equations.slice(0, end), outputs }, both }
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
  const { once, both } = passesOf(objective, inputs)
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
