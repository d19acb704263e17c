import type { Program } from "../program/ir.js"
import type { NodeProto, TensorProto } from "./proto.js"

interface Written {
  readonly nodes: ReadonlyArray<NodeProto>
  readonly initializers: ReadonlyArray<TensorProto>
}

/** The ranks of a program's values, and of what was reshaped, by their names in the model. */
export const ranksOf = (
  program: Program,
  names: ReadonlyMap<number, string>,
  { nodes, initializers }: Written,
): ((name: string) => number | undefined) => {
  const values = [
    ...[...program.inputs, ...program.constants].map(({ value }) => value),
    ...program.equations.flatMap(({ outputs }) => outputs),
  ]
  const ranks = new Map(values.map(({ id, shape }) => [names.get(id) ?? "", shape.length]))
  const lengths = new Map(initializers.map(({ name, shape }) => [name, shape[0]]))
  for (const { op, inputs, outputs } of nodes) {
    const rank = op === "Reshape" ? lengths.get(inputs[1]!) : undefined
    if (rank !== undefined) ranks.set(outputs[0]!, rank)
  }
  return (name) => ranks.get(name)
}
