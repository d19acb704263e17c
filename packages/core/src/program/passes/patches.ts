/** A convolution whose windows lie side by side is one matrix product over patches. The sums keep their order. */
import type { Attr, Equation, Value } from "../ir.js"
import { numbersOf } from "../shapes.js"
import { isFirst, type Pair, type Window, windowOf } from "../windows.js"
import type { Rule, Scope } from "./rewrite.js"

const tiles = ({ kernel, strides, dilations, before, after }: Window): boolean =>
  [...before, ...after].every((n) => n === 0) &&
  kernel.every((n, i) => n === strides[i] && dilations[i] === 1) &&
  kernel.some((n) => n > 1)

export const patches: Rule = (equation, scope) => {
  const { op, inputs, attrs, outputs } = equation
  if (isFirst(attrs) || !["Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"].includes(op)) return null
  const image = op === "Conv2DBackpropInput" ? outputs[0]! : inputs[0]!
  const filter = op === "Conv2DBackpropFilter" ? outputs[0]! : inputs[1]!
  const [rows, columns, from, to] = filter.shape as [number, number, number, number]
  const w = windowOf(attrs, [image.shape[1]!, image.shape[2]!] as Pair, [rows, columns])
  if (!tiles(w)) return null
  const steps = builder(equation, scope)
  const count = image.shape[0]! * w.output[0] * w.output[1]
  const width = rows * columns * from
  const grid = [image.shape[0]!, w.output[0], rows, w.output[1], columns, from]
  const apart = [0, 1, 3, 2, 4, 5]
  const rowsOf = (x: Value): Value => steps.reshape(steps.transpose(steps.reshape(x, grid), apart), [count, width])
  if (op === "Conv2D") {
    steps.finish("Reshape", [steps.product(rowsOf(inputs[0]!), steps.reshape(inputs[1]!, [width, to]), false, false)], {
      shape: outputs[0]!.shape,
    })
  } else if (op === "Conv2DBackpropFilter") {
    const made = steps.product(rowsOf(inputs[0]!), steps.reshape(inputs[1]!, [count, to]), true, false)
    steps.finish("Reshape", [made], { shape: numbersOf(attrs, "filterShape") })
  } else {
    const made = steps.product(
      steps.reshape(inputs[0]!, [count, to]),
      steps.reshape(inputs[1]!, [width, to]),
      false,
      true,
    )
    const parts = steps.reshape(made, [grid[0]!, grid[1]!, grid[3]!, grid[2]!, grid[4]!, grid[5]!])
    steps.finish("Reshape", [steps.transpose(parts, apart)], { shape: outputs[0]!.shape })
  }
  return { equations: steps.equations }
}

/** Equations in the place of another one. */
const builder = ({ path, outputs }: Equation, { fresh }: Scope) => {
  const equations: Array<Equation> = []
  const step = (
    op: string,
    inputs: ReadonlyArray<Value>,
    attrs: Record<string, Attr>,
    shape: ReadonlyArray<number>,
  ) => {
    const made = fresh({ dtype: "float32", shape })
    equations.push({ op, inputs, attrs, outputs: [made], path })
    return made
  }
  return {
    equations,
    reshape: (x: Value, shape: ReadonlyArray<number>): Value => step("Reshape", [x], { shape }, shape),
    transpose: (x: Value, perm: ReadonlyArray<number>): Value =>
      step(
        "Transpose",
        [x],
        { perm },
        perm.map((p) => x.shape[p]!),
      ),
    product: (a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value =>
      step("BatchMatMul", [a, b], { transposeA, transposeB }, [
        a.shape[transposeA ? 1 : 0]!,
        b.shape[transposeB ? 0 : 1]!,
      ]),
    finish: (op: string, inputs: ReadonlyArray<Value>, attrs: Record<string, Attr>): void => {
      equations.push({ op, inputs, attrs, outputs, path })
    },
  }
}
