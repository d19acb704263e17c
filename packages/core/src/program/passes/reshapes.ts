/**
 * Reshapes move below elementwise kernels, towards other reshapes: what was flattened for a product stays flat through a
 * residual sum and the next norm.
 */
import { sizeOf } from "../../tensor.js"
import { kernels } from "../kernels.js"
import { type Rule, sameShape } from "./rewrite.js"

export const reshapes: Rule = (equation, { producer, once, fresh }) => {
  const { op, inputs, outputs, path } = equation
  const [out] = outputs
  if (kernels.get(op)?.elementwise === undefined || outputs.length !== 1 || sizeOf(out!.shape) < 2) return null
  const tensors = inputs.filter(({ shape }) => sizeOf(shape) !== 1)
  const sources = tensors.map((value) => {
    const made = producer(value)
    return made?.op === "Reshape" && sameShape(value.shape, out!.shape) ? made.inputs[0]! : null
  })
  const shape = sources[0]?.shape
  if (shape === undefined || !sources.every((source) => source !== null && sameShape(source.shape, shape))) return null
  // One reshape is made, so that one at least must go.
  if (!tensors.some(once)) return null
  const flat = inputs.map((value) => {
    const at = tensors.indexOf(value)
    return at < 0 ? value : sources[at]!
  })
  // A scalar of more axes than the source would give the result its own.
  if (flat.some((value) => value.shape.length > shape.length)) return null
  const made = fresh({ dtype: out!.dtype, shape })
  return {
    equations: [
      { ...equation, inputs: flat, outputs: [made] },
      { op: "Reshape", inputs: [made], attrs: { shape: out!.shape }, outputs, path },
    ],
  }
}
