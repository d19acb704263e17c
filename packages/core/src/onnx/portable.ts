/** Models for execution providers that lack the operators which ONNX Runtime has for the CPU alone. */
import type { NodeProto } from "./proto.js"

const flag = ({ attributes }: NodeProto, name: string): boolean => attributes[name] === 1

/** The last two axes of a tensor, swapped. */
const swapped = (node: NodeProto, input: number, rank: number): NodeProto => {
  const name = `${node.name}/Transpose.${input}`
  const perm = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i))
  const inputs = [node.inputs[input]!]
  return { name, op: "Transpose", domain: "", inputs, outputs: [`${name}:out`], attributes: { perm } }
}

/**
 * The nodes with FusedMatMul written as MatMul, its factors transposed before. One whose factors' ranks are not known
 * stays.
 * @param rankOf  the rank of a tensor, by its name in the model
 */
export const withoutFusedMatMul = (
  nodes: ReadonlyArray<NodeProto>,
  rankOf: (name: string) => number | undefined,
): ReadonlyArray<NodeProto> =>
  nodes.flatMap((node) => {
    if (node.op !== "FusedMatMul") return [node]
    const transposed = ["transA", "transB"].map((name) => flag(node, name))
    const ranks = node.inputs.map(rankOf)
    if (transposed.some((does, input) => does && ranks[input] === undefined)) return [node]
    const before = transposed.map((does, input) => (does ? swapped(node, input, ranks[input]!) : null))
    const inputs = node.inputs.map((name, input) => before[input]?.outputs[0] ?? name)
    return [...before.flatMap((made) => made ?? []), { ...node, op: "MatMul", domain: "", inputs, attributes: {} }]
  })
