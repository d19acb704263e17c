import { BadData, ShapeMismatch } from "../errors.js"
import { type HostTensor, int32, showSpec } from "../tensor.js"
import { gumbelOf } from "./gumbel.js"
import type { Key } from "./key.js"
import { words } from "./threefry.js"

/**
 * One draw from softmax(logits) for each row, by the Gumbel-max method. A logit of -∞ is never drawn.
 * @param logits  float32  n v
 * @returns       int32    n     row r is a function of the key, r, v and its logits
 * @fails  ShapeMismatch  logits are not float32 [n, v]
 * @fails  BadData        a row with NaN, or without a finite logit
 */
export const categorical = (key: Key, logits: HostTensor): HostTensor => {
  const [n, v] = logits.shape
  if (logits.shape.length !== 2 || logits.dtype !== "float32" || n === undefined || v === undefined) {
    throw new ShapeMismatch({
      where: "random.categorical",
      expected: "logits float32 [n, v]",
      received: showSpec(logits),
      fix: "reshape to one row for each draw",
    })
  }
  const bits = words(key, n * v)
  const data = new Int32Array(n)
  for (let row = 0; row < n; row++) {
    let best = -1
    let score = Number.NEGATIVE_INFINITY
    for (let i = row * v; i < (row + 1) * v; i++) {
      const logit = logits.data[i]!
      const candidate = logit + gumbelOf(bits[i]!)
      if (candidate > score) {
        score = candidate
        best = i - row * v
      } else if (Number.isNaN(logit)) {
        best = -1
        break
      }
    }
    if (best === -1 || score === Number.POSITIVE_INFINITY) {
      throw new BadData({
        where: `random.categorical, row ${row}`,
        expected: "logits without NaN or +∞, at least one of them finite",
        received: Array.from(logits.data.slice(row * v, (row + 1) * v).slice(0, 8)).join(", ") + (v > 8 ? ", …" : ""),
        fix: "look for the step that made the logits non-finite, or mask fewer tokens",
      })
    }
    data[row] = best
  }
  return int32([n], data)
}
