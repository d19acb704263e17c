/** Where the rows (or columns) of a resized image come from, as tfjs works it out. */
import type { HostTensor } from "../tensor.js"
import type { Attrs } from "./shapes.js"

export type Interpolation = "nearest" | "bilinear"

const ratio = (from: number, to: number, attrs: Attrs): number =>
  attrs.alignCorners === true && to > 1 ? (from - 1) / (to - 1) : from / to

/** The source of each of `to` rows among `from`, for the nearest neighbour. */
export const nearestRows = (from: number, to: number, attrs: Attrs): Array<number> =>
  Array.from({ length: to }, (_, row) => {
    const at = ratio(from, to, attrs) * (attrs.halfPixelCenters === true ? row + 0.5 : row)
    return Math.max(0, Math.min(from - 1, attrs.alignCorners === true ? Math.round(at) : Math.floor(at)))
  })

/** The weights [to, from] with which source rows add up to rows of the result. */
export const rowWeights = (kind: Interpolation, from: number, to: number, attrs: Attrs): HostTensor => {
  const data = new Float32Array(to * from)
  const nearest = kind === "nearest" ? nearestRows(from, to, attrs) : []
  for (let row = 0; row < to; row++) {
    if (kind === "nearest") {
      data[row * from + nearest[row]!] = 1
      continue
    }
    const half = attrs.halfPixelCenters === true
    const at = half ? ratio(from, to, attrs) * (row + 0.5) - 0.5 : ratio(from, to, attrs) * row
    const low = Math.max(0, Math.floor(at))
    const high = Math.min(from - 1, Math.ceil(at))
    // Before the first row and behind the last the two are one, and so is their weight.
    const part = low === high ? 0 : at - low
    data[row * from + low]! += 1 - part
    data[row * from + high]! += part
  }
  return { dtype: "float32", shape: [to, from], data }
}
