/** An objective's loss with its gradients: what all training steps begin with. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensors } from "../engine.js"
import { BadConfig } from "../errors.js"
import type { Objective } from "../objective.js"

export interface LossGradients {
  readonly loss: tf.Scalar
  /** Every other output of the objective. */
  readonly reported: Tensors
  /** Of the named parameters, then of the named inputs. */
  readonly grads: ReadonlyArray<tf.Tensor>
}

/**
 * @param params  every parameter of the objective
 * @param names   the parameters that the loss is differentiated by
 * @param slopes  the inputs that it is differentiated by
 * @throws BadConfig  the objective has no scalar output `loss`
 */
export const lossGradients = (
  objective: Objective,
  params: Tensors,
  inputs: Tensors,
  names: ReadonlyArray<string>,
  slopes: ReadonlyArray<string> = [],
): LossGradients => {
  let kept: Tensors = {}
  const lossOf = (...varied: ReadonlyArray<tf.Tensor>): tf.Scalar => {
    const learning = Object.fromEntries(names.map((name, i) => [name, varied[i]!]))
    const given = Object.fromEntries(slopes.map((name, i) => [name, varied[names.length + i]!]))
    const { loss, ...others } = objective.apply({ ...params, ...learning }, { ...inputs, ...given })
    if (loss === undefined || loss.rank !== 0) {
      throw new BadConfig({
        where: objective.name,
        expected: "a scalar output named loss",
        received: loss === undefined ? "no such output" : `an output of shape [${loss.shape.join(", ")}]`,
        fix: 'end the objective\'s graph with .output("loss", …)',
      })
    }
    // tf disposes what a gradient function made but did not return, so what is reported must be kept.
    kept = Object.fromEntries(Object.entries(others).map(([name, value]) => [name, tf.keep(value)]))
    return loss as tf.Scalar
  }
  const at = [...names.map((name) => params[name]!), ...slopes.map((name) => inputs[name]!)]
  const { value, grads } = tf.valueAndGrads(lossOf)(at)
  const reported: Record<string, tf.Tensor> = {}
  for (const [name, output] of Object.entries(kept)) {
    reported[name] = tf.clone(output)
    output.dispose()
  }
  return { loss: value as tf.Scalar, reported, grads }
}
