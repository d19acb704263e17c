import { type Equation, flopsOf } from "@millrace/core"
import fc from "fast-check"
import { expect, test } from "vitest"

const size = fc.integer({ min: 1, max: 9 })

const equation = (
  op: string,
  inputs: ReadonlyArray<ReadonlyArray<number>>,
  output: ReadonlyArray<number>,
  attrs: Equation["attrs"] = {},
): Equation => ({
  op,
  inputs: inputs.map((shape, id) => ({ id, dtype: "float32", shape })),
  attrs,
  outputs: [{ id: inputs.length, dtype: "float32", shape: output }],
  path: "",
})

test("a product of matrices counts the same however its factors lie", () => {
  fc.assert(
    fc.property(size, size, size, size, fc.boolean(), fc.boolean(), (b, m, k, n, transposeA, transposeB) => {
      const [a, other] = [transposeA ? [b, k, m] : [b, m, k], transposeB ? [b, n, k] : [b, k, n]]
      const made = equation("BatchMatMul", [a, other], [b, m, n], { transposeA, transposeB })
      expect(flopsOf(made)).toBe(2 * b * m * k * n)
    }),
  )
})

test("a convolution and both of its gradients count alike: each term of the sum is met once in all three", () => {
  fc.assert(
    fc.property(size, size, size, size, size, size, (b, y, x, c, k, f) => {
      // Stride 1 and padding "same": y and x stay.
      const [input, filter, output] = [
        [b, y, x, c],
        [f, f, c, k],
        [b, y, x, k],
      ]
      const terms = 2 * b * y * x * k * f * f * c
      expect(flopsOf(equation("Conv2D", [input, filter], output))).toBe(terms)
      expect(flopsOf(equation("Conv2DBackpropInput", [output, filter], input))).toBe(terms)
      expect(flopsOf(equation("Conv2DBackpropFilter", [input, output], filter))).toBe(terms)
    }),
  )
})

test("a convolution with windows of one point is a product of matrices", () => {
  fc.assert(
    fc.property(size, size, size, size, size, (b, y, x, c, k) => {
      const convolution = equation(
        "Conv2D",
        [
          [b, y, x, c],
          [1, 1, c, k],
        ],
        [b, y, x, k],
      )
      const product = equation(
        "BatchMatMul",
        [
          [b * y * x, c],
          [c, k],
        ],
        [b * y * x, k],
      )
      expect(flopsOf(convolution)).toBe(flopsOf(product))
    }),
  )
})

test("a depthwise convolution of one channel is a convolution", () => {
  fc.assert(
    fc.property(size, size, size, size, size, (b, y, x, m, f) => {
      const [input, filter, output] = [
        [b, y, x, 1],
        [f, f, 1, m],
        [b, y, x, m],
      ]
      for (const [depthwise, plain, operands, result] of [
        ["DepthwiseConv2dNative", "Conv2D", [input, filter], output],
        ["DepthwiseConv2dNativeBackpropInput", "Conv2DBackpropInput", [output, filter], input],
        ["DepthwiseConv2dNativeBackpropFilter", "Conv2DBackpropFilter", [input, output], filter],
      ] as const) {
        expect(flopsOf(equation(depthwise, operands, result))).toBe(flopsOf(equation(plain, operands, result)))
      }
    }),
  )
})

test("what is neither a product nor a convolution counts as nothing", () => {
  expect(flopsOf(equation("Tanh", [[4, 4]], [4, 4]))).toBe(0)
  expect(flopsOf(equation("toString", [[4]], [4]))).toBe(0)
})
