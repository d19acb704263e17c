/** A tensor graph as one tensor function: its nodes in order, each on what its wires carry. */
import * as tf from "@tensorflow/tfjs-core"
import { isParamSpec, isPort, type Outputs, type ParamSpec } from "../node.js"
import { stopGradient } from "../ops/stopGradient.js"
import type { Ports } from "../port.js"
import { withPath } from "../program/path.js"
import { mapTree, type Tree } from "../tree.js"
import { type GraphNode, isGraph } from "./parts.js"
import { tensorCheck } from "./tensorCheck.js"
import { keep } from "./wires.js"

type Named<T> = Readonly<Record<string, T>>

/** The parameters of the nodes by name: those that share have none of their own. */
export const paramsOf = (nodes: ReadonlyArray<GraphNode>): Tree<ParamSpec> =>
  Object.fromEntries(
    nodes.flatMap(({ name, node, shares }) => {
      if (node.level !== "tensor" || shares !== null) return []
      return isParamSpec(node.params) || Object.keys(node.params).length > 0 ? [[name, node.params]] : []
    }),
  )

const isTensor = (value: unknown): value is tf.Tensor => value instanceof tf.Tensor

/** `apply` of a tensor graph. @throws ShapeMismatch where a node is given or gives what its ports do not say */
export const applyNodes =
  (graph: {
    readonly name: string
    readonly inputs: Ports
    readonly sizes: Named<number>
    readonly nodes: ReadonlyArray<GraphNode>
    readonly out: Outputs
    readonly outputs: Named<string>
  }) =>
  (params: Tree<tf.Tensor>, inputs: Named<unknown>): unknown => {
    tensorCheck(graph.name, graph.sizes)(graph.inputs, inputs)
    const values = new Map(Object.entries(inputs))
    const trees = params as Named<Tree<tf.Tensor>>
    for (const { name, node, wires, frozen, shares, in: needs, out, sizes } of graph.nodes) {
      if (node.level !== "tensor") continue
      const given = Object.fromEntries(Object.entries(wires).map(([port, wire]) => [port, values.get(wire)]))
      const tree = trees[shares ?? name] ?? {}
      withPath(name, () => {
        const used = frozen ? mapTree(tree, isTensor, (_, parameter) => stopGradient(parameter)) : tree
        if (isGraph(node)) {
          keep(values, name, out, node.apply(used, given))
          return
        }
        const check = tensorCheck(`${graph.name} > ${name}`, sizes)
        check(needs, given)
        const result: unknown = node.apply(used, given)
        check(isPort(out) ? { [name]: out } : out, isPort(out) ? { [name]: result } : result)
        keep(values, name, out, result)
      })
    }
    const outputs = Object.entries(graph.outputs).map(([name, wire]) => [name, values.get(wire)] as const)
    return isPort(graph.out) ? outputs[0]![1] : Object.fromEntries(outputs)
  }
