/** The network of a diffusion model, as what samples from it sees it. */
import { BadConfig, type ParamSpec, type Specs, spec, type TensorNode, type Tensors, type Tree } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"

export interface Denoiser {
  readonly name: string
  readonly params: Tree<ParamSpec>
  /** Types of one row of what else it is given, without the batch's axis. */
  readonly conditioning: Specs
  /**
   * @param noisy  float32  b …
   * @param time   int32    b     steps of the schedule that it was trained on
   * @returns      float32  b …   the last axis twice as long where the variance is learned
   */
  readonly apply: (params: Tree<tf.Tensor>, noisy: tf.Tensor, time: tf.Tensor, conditioning: Tensors) => tf.Tensor
}

export interface DenoiserPorts {
  /** The port that takes noisy data. */
  readonly noisy: string
  /** The port that takes times. */
  readonly time: string
  /** The port that gives the prediction, of a node with several. */
  readonly output?: string
  /** Shapes of one row on every other port, without the batch's axis. */
  readonly conditioning?: Readonly<Record<string, ReadonlyArray<number>>>
}

/**
 * A node as a denoiser.
 *
 *   denoiserOf(unet({ … }), { noisy: "image", time: "time", conditioning: { text: [77, 512] } })
 * @fails BadConfig  a port that the node does not have, or one that is not named here
 */
export const denoiserOf = (node: TensorNode, ports: DenoiserPorts): Denoiser => {
  const { noisy, time, output, conditioning = {} } = ports
  const named = [noisy, time, ...Object.keys(conditioning)]
  const wanted = Object.keys(node.in)
  if (named.length !== wanted.length || wanted.some((port) => !named.includes(port))) {
    throw new BadConfig({
      where: node.type,
      expected: `the ports ${wanted.join(", ")}, each once`,
      received: named.join(", "),
      fix: "name the port of the noisy data, that of the time, and the shapes of all others",
    })
  }
  return {
    name: node.type,
    params: node.params,
    conditioning: Object.fromEntries(
      Object.entries(conditioning).map(([port, shape]) => [port, spec(node.in[port]!.dtype as "float32", shape)]),
    ),
    apply: (params, x, t, given) => {
      const made: unknown = node.apply(params, { ...given, [noisy]: x, [time]: t })
      const value = output === undefined ? made : (made as Readonly<Record<string, unknown>>)[output]
      if (value instanceof tf.Tensor) return value
      throw new BadConfig({
        where: node.type,
        expected: "one output that is a tensor",
        received: output === undefined ? "several outputs" : `no output ${output}`,
        fix: "name the output that is the prediction",
      })
    },
  }
}
