/** A bias of the channels becomes part of the convolution that it follows. The sums keep their order. */

import { sizeOf } from "../../tensor.js"
import { isFirst } from "../windows.js"
import type { Rule } from "./rewrite.js"

export const convBias: Rule = (equation, scope) => {
  const { op, inputs, outputs } = equation
  if (op !== "Add") return null
  for (const [product, bias] of [inputs, inputs.toReversed()]) {
    const made = scope.producer(product!)
    if (made?.op !== "Conv2D" || !isFirst(made.attrs) || !scope.once(product!)) continue
    const channels = product!.shape[1]!
    const beside = String([1, 1, 1, ...bias!.shape].slice(-4)) === String([1, channels, 1, 1])
    if (!beside || sizeOf(outputs[0]!.shape) !== sizeOf(product!.shape)) continue
    const row = scope.fresh({ dtype: bias!.dtype, shape: [channels] })
    return {
      equations: [
        { op: "Reshape", inputs: [bias!], attrs: { shape: [channels] }, outputs: [row], path: equation.path },
        { ...made, op: "FusedConv2D", inputs: [...made.inputs, row], outputs },
      ],
    }
  }
  return null
}
