/** Models for execution providers that lack the operators which ONNX Runtime has for the CPU alone. */
import type { NodeProto } from "./proto.js"

const flag = ({ attributes }: NodeProto, name: string): boolean => attributes[name] === 1

/** How FusedMatMul reads a factor: the first axis moved before the last, then the last two swapped. */
const orderOf = (rank: number, batch: boolean, swapped: boolean): ReadonlyArray<number> => {
  const axes = Array.from({ length: rank }, (_, i) => i)
  const moved = batch ? [...axes.slice(1, -1), 0, rank - 1] : axes
  return swapped ? [...moved.slice(0, -2), moved.at(-1)!, moved.at(-2)!] : moved
}

const turned = (node: NodeProto, input: number, perm: ReadonlyArray<number>): NodeProto => {
  const name = `${node.name}/Transpose.${input}`
  const inputs = [node.inputs[input]!]
  return { name, op: "Transpose", domain: "", inputs, outputs: [`${name}:out`], attributes: { perm } }
}

/** The product, whose result is called as before, times a number. */
const scaled = (product: NodeProto, alpha: number): ReadonlyArray<NodeProto> => {
  const [factor, unscaled] = [`${product.name}/Constant:out`, `${product.name}/unscaled`]
  const tensor = {
    name: "value",
    dtype: "float32",
    shape: [],
    bytes: new Uint8Array(Float32Array.of(alpha).buffer),
  } as const
  const node = (op: string, inputs: ReadonlyArray<string>, outputs: ReadonlyArray<string>): NodeProto => ({
    name: `${product.name}/${op}`,
    op,
    domain: "",
    inputs,
    outputs,
    attributes: {},
  })
  return [
    { ...product, outputs: [unscaled] },
    { ...node("Constant", [], [factor]), attributes: { value: { tensor } } },
    node("Mul", [unscaled, factor], product.outputs),
  ]
}

const alphaOf = ({ attributes: { alpha } }: NodeProto): number =>
  typeof alpha === "object" && "float" in alpha ? alpha.float : 1

/**
 * The nodes with FusedMatMul written as MatMul, its factors transposed before and its result scaled after. One whose factors' ranks are not known
 * stays.
 * @param rankOf  the rank of a tensor, by its name in the model
 */
export const withoutFusedMatMul = (
  nodes: ReadonlyArray<NodeProto>,
  rankOf: (name: string) => number | undefined,
): ReadonlyArray<NodeProto> =>
  nodes.flatMap((node) => {
    if (node.op !== "FusedMatMul") return [node]
    const factors = ["A", "B"].map(
      (factor) => [flag(node, `transBatch${factor}`), flag(node, `trans${factor}`)] as const,
    )
    const ranks = node.inputs.map(rankOf)
    if (factors.some((flags, input) => flags.includes(true) && ranks[input] === undefined)) return [node]
    const before = factors.map((flags, input) =>
      flags.includes(true) ? turned(node, input, orderOf(ranks[input]!, ...flags)) : null,
    )
    const inputs = node.inputs.map((name, input) => before[input]?.outputs[0] ?? name)
    const product = { ...node, op: "MatMul", domain: "", inputs, attributes: {} }
    const alpha = alphaOf(node)
    return [...before.flatMap((made) => made ?? []), ...(alpha === 1 ? [product] : scaled(product, alpha))]
  })
