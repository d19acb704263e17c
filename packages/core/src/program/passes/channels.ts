/** Images get channels first, as ONNX has them: every kernel of images stands between two transposes. */
import { imageOperands } from "../imageKernels.js"
import type { Value } from "../ir.js"
import { isFirst, layouts, toFirst } from "../windows.js"
import type { Rule } from "./rewrite.js"

export const channels: Rule = (equation, { fresh }) => {
  const { op, inputs, attrs, outputs } = equation
  const operands = imageOperands.get(op)
  if (operands === undefined || isFirst(attrs)) return null
  const turn = (value: Value): Value => fresh({ dtype: value.dtype, shape: toFirst(value.shape) })
  const turned = inputs.map((value, i) => (i < operands.images ? turn(value) : value))
  const made = outputs.map((value, i) => (i === 0 && operands.result ? turn(value) : value))
  const transpose = (from: Value, to: Value, perm: ReadonlyArray<number>) => ({
    op: "Transpose",
    inputs: [from],
    attrs: { perm: [...perm] },
    outputs: [to],
    path: equation.path,
  })
  return {
    equations: [
      ...inputs.slice(0, operands.images).map((value, i) => transpose(value, turned[i]!, layouts.toFirst)),
      { ...equation, inputs: turned, attrs: { ...attrs, dataFormat: "NCHW" }, outputs: made },
      ...(operands.result ? [transpose(made[0]!, outputs[0]!, layouts.toLast)] : []),
    ],
  }
}
