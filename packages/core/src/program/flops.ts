/**
 * Arithmetic of matrix products and convolutions: a multiplication and an addition count as two. What else there is in a
 * program is bound by memory, and counts as none.
 *
 * To count another kernel, add a row.
 */
import { sizeOf } from "../tensor.js"
import type { Equation, Value } from "./ir.js"

type Count = (equation: Equation) => number

const out = ({ outputs }: Equation): number => sizeOf(outputs[0]!.shape)
const operand = ({ inputs }: Equation, i: number): Value => inputs[i]!

/** Every element of the product is a sum over the inner axis. */
const matrixProduct: Count = (equation) => {
  const { shape } = operand(equation, 0)
  return 2 * out(equation) * (equation.attrs.transposeA === true ? shape.at(-2)! : shape.at(-1)!)
}

/** Filters are [y, x, c, k]: every element of what has k channels meets y · x · c of them. */
const window = (filter: ReadonlyArray<number>): number => sizeOf(filter.slice(0, 3))

/** Filters of depthwise convolutions are [y, x, c, m]: every channel has its own. */
const depthwise = (filter: ReadonlyArray<number>): number => sizeOf(filter.slice(0, 2))

const rows: Readonly<Record<string, Count>> = {
  BatchMatMul: matrixProduct,
  _FusedMatMul: matrixProduct,
  ScaledMatMul: matrixProduct,
  // x [b, y, x, c], filter
  Conv2D: (equation) => 2 * out(equation) * window(operand(equation, 1).shape),
  FusedConv2D: (equation) => 2 * out(equation) * window(operand(equation, 1).shape),
  // dy, filter -> dx
  Conv2DBackpropInput: (equation) => 2 * sizeOf(operand(equation, 0).shape) * window(operand(equation, 1).shape),
  // x, dy -> the filter's gradient
  Conv2DBackpropFilter: (equation) => 2 * sizeOf(operand(equation, 1).shape) * window(equation.outputs[0]!.shape),
  DepthwiseConv2dNative: (equation) => 2 * out(equation) * depthwise(operand(equation, 1).shape),
  DepthwiseConv2dNativeBackpropInput: (equation) =>
    2 * sizeOf(operand(equation, 0).shape) * depthwise(operand(equation, 1).shape),
  DepthwiseConv2dNativeBackpropFilter: (equation) =>
    2 * sizeOf(operand(equation, 1).shape) * depthwise(equation.outputs[0]!.shape),
}

/** Floating-point operations of an equation, 0 where it is neither a matrix product nor a convolution. */
export const flopsOf = (equation: Equation): number =>
  Object.hasOwn(rows, equation.op) ? rows[equation.op]!(equation) : 0
