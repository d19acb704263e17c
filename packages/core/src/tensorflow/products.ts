/** Products of a matrix and a column, with MatMul. */
import type { Row } from "./row.js"

/** tfjs-node multiplies matrices as batches of one: as fast for matrices, and four times as slow for a column. */
export const productsRow: Row = {
  name: "BatchMatMul",
  raw: ["MatMul"],
  kernel: (raw, plain) => (given) => {
    const { a, b } = given.inputs
    const { transposeA, transposeB } = given.attrs ?? {}
    const columns = b?.shape[transposeB === true ? 0 : 1]
    const fits = a?.dtype === "float32" && a.shape.length === 2 && b?.shape.length === 2 && columns === 1
    if (!fits) return plain(given)
    return raw("MatMul", [a, b], { transpose_a: transposeA === true, transpose_b: transposeB === true })[0]!
  },
}
