/** The laws of a tensor node: those that its ports alone imply, and those that it carries. */
import type * as tf from "@tensorflow/tfjs-core"
import { initParams } from "../initParams.js"
import { isParamSpec, type TensorNode } from "../node.js"
import { keyFromSeed, split } from "../random/key.js"
import { normal } from "../random/normal.js"
import { float32, type HostTensors } from "../tensor.js"
import { flatten, mapTree } from "../tree.js"
import { lawsOf } from "./checkLaws.js"
import { deterministic, honestPorts, leavesNothing } from "./conduct.js"
import { gradientMatchesFiniteDifferences } from "./gradients.js"
import type { Law } from "./law.js"
import { batchEquivariant } from "./permutation.js"
import { finite } from "./range.js"
import { withAxis } from "./slices.js"
import { continuousInputs, type NodeLaws, outPorts, type SubjectLaw, type TensorSubject } from "./subject.js"

/** A node as it starts, but for some noise: what starts at zero would hide what comes after it. */
const startOf = (node: TensorNode): HostTensors => {
  const key = keyFromSeed(0)
  const specs = flatten(node.params, isParamSpec)
  return Object.fromEntries(
    Object.entries(initParams(specs, key)).map(([name, { shape, data }]) => {
      const noise = normal(split(key, `noise of ${name}`), shape).data
      return [
        name,
        float32(
          shape,
          Float32Array.from(data, (x, i) => x + noise[i]! / 10),
        ),
      ]
    }),
  )
}

/** A tensor node as what laws are about. */
export const subjectOf = (node: TensorNode, { sizes, ranges, examples }: NodeLaws = {}): TensorSubject => ({
  name: `${node.type}@${node.version}`,
  in: node.in,
  out: node.out,
  sizes: { ...node.sizes, ...sizes },
  ...(ranges === undefined ? {} : { ranges }),
  ...(examples === undefined ? {} : { examples }),
  params: startOf(node),
  apply: (inputs, params) => {
    const tree = mapTree(node.params, isParamSpec, (path): tf.Tensor => params[path]!)
    return node.apply(tree, inputs) as tf.Tensor | Readonly<Record<string, tf.Tensor>>
  },
})

/** The laws that ports imply. */
export const universalLaws = (
  subject: TensorSubject,
  { batch, gradient }: Pick<NodeLaws, "batch" | "gradient"> = {},
): ReadonlyArray<SubjectLaw> => {
  const outputs = Object.values(outPorts(subject))
  const rows = withAxis(subject.in, "b").length > 0
  const moving = continuousInputs(subject).length + Object.keys(subject.params ?? {}).length > 0
  return [
    deterministic(),
    honestPorts(),
    finite(),
    leavesNothing(),
    ...(rows && batch !== "coupled" && withAxis(outPorts(subject), "b").length > 0 ? [batchEquivariant("b")] : []),
    ...(moving && gradient !== "stopped" && outputs.some(({ dtype }) => dtype === "float32")
      ? [gradientMatchesFiniteDifferences()]
      : []),
  ]
}

export interface LawsOfNode {
  readonly subject: TensorSubject
  /** That hold for every node with such ports. */
  readonly universal: ReadonlyArray<Law>
  /** That the node carries. */
  readonly own: ReadonlyArray<Law>
}

/** All laws that a tensor node is under. */
export const nodeLaws = async (node: TensorNode): Promise<LawsOfNode> => {
  const given = (await node.laws?.()) ?? {}
  const subject = subjectOf(node, given)
  return {
    subject,
    universal: lawsOf(subject, universalLaws(subject, given)),
    own: lawsOf(subject, given.laws ?? []),
  }
}
