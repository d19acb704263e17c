/** Products of matrices, with MatMul. */
import type { Row } from "./row.js"

/** tfjs-node multiplies matrices as batches of one. */
export const productsRow: Row = {
  name: "BatchMatMul",
  raw: ["MatMul"],
  kernel: (raw, plain) => (given) => {
    const { a, b } = given.inputs
    if (a?.dtype !== "float32" || b === undefined || a.shape.length !== 2 || b.shape.length !== 2) return plain(given)
    const { transposeA, transposeB } = given.attrs ?? {}
    return raw("MatMul", [a, b], { transpose_a: transposeA === true, transpose_b: transposeB === true })[0]!
  },
}
