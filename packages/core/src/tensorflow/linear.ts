/** The affine map of the last axis, with MatMul, BiasAdd and BiasAddGrad. */
import type { Raw } from "./raw.js"
import type { Row } from "./row.js"

type Tensors = Parameters<Raw>[1]

const product = (raw: Raw, operands: Tensors, transposeA = false, transposeB = false) =>
  raw("MatMul", operands, { transpose_a: transposeA, transpose_b: transposeB })[0]!

export const linearRow: Row = {
  name: "Linear",
  raw: ["BiasAdd", "BiasAddGrad"],
  differentiable: (raw) => ({
    forward: ([x, w, b]) => {
      const y = product(raw, [x!, w!])
      return {
        value: b === undefined ? y : raw("BiasAdd", [y, b])[0]!,
        saved: b === undefined ? [x!, w!] : [x!, w!, b],
      }
    },
    backward: (dy, [x, w, b]) => {
      const products = [product(raw, [dy, w!], false, true), product(raw, [x!, dy], true)]
      return b === undefined ? products : [...products, raw("BiasAddGrad", [dy])[0]!]
    },
  }),
}
