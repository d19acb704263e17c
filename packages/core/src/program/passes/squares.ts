/** The sum of a tensor's squares is one reduction: no tensor of squares is made. */
import { sizeOf } from "../../tensor.js"
import type { Rule } from "./rewrite.js"

export const squares: Rule = (equation, { producer, once }) => {
  const { op, inputs, outputs } = equation
  const [x] = inputs
  if (op !== "Sum" || x === undefined || x.dtype !== "float32" || outputs[0]!.shape.length > 0) return null
  const made = producer(x)
  const [a, b] = made?.inputs ?? []
  const squared = made?.op === "Square" || (made?.op === "Multiply" && a!.id === b!.id)
  if (!squared || !once(x) || sizeOf(a!.shape) !== sizeOf(x.shape)) return null
  return { equations: [{ ...equation, op: "SumOfSquares", inputs: [a!], attrs: {} }] }
}
