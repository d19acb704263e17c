/** Embeddings compared: cosines row by row, and what is found among others. Rows are float32 n c. */
import type { HostTensor } from "@millrace/core"
import { type Features, ranksOf } from "../clip/ranks.js"

const dot = (a: HostTensor, i: number, b: HostTensor, j: number): number => {
  const c = a.shape[1] ?? 0
  let sum = 0
  for (let k = 0; k < c; k++) sum += a.data[i * c + k]! * b.data[j * c + k]!
  return sum
}

/** The cosine of each row with the same row of another; `b` of one row is compared with all. Rows need no length of 1. */
export const rowCosines = (a: HostTensor, b: HostTensor): ReadonlyArray<number> => {
  const [n = 0] = a.shape
  const single = b.shape[0] === 1
  return Array.from({ length: n }, (_, i) => {
    const j = single ? 0 : i
    return dot(a, i, b, j) / Math.sqrt(dot(a, i, a, i) * dot(b, j, b, j))
  })
}

const featuresOf = ({ shape, data }: HostTensor): Features => ({
  joint: shape[1] ?? 0,
  data: Float32Array.from(data),
})

/** For each query the rank of its own candidate, that of the same row: 0 is found at once, and of equals it is the last. */
export const ranks = (queries: HostTensor, candidates: HostTensor): ReadonlyArray<number> =>
  ranksOf(
    featuresOf(queries),
    featuresOf(candidates),
    Array.from({ length: queries.shape[0] ?? 0 }, (_, i) => i),
  )
