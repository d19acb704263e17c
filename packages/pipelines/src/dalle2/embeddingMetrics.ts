/** Embeddings compared: cosines row by row, and what is found among others. Rows are float32 n c. */
import type { HostTensor } from "@millrace/core"

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

/**
 * For each query the number of candidates that are closer to it than its own, which is the candidate of the same row: 0 is
 * found at once. Candidates as close as its own count as closer, so that copies of one embedding find nothing.
 * @param queries     any length
 * @param candidates  of length 1
 */
export const ranks = (queries: HostTensor, candidates: HostTensor): ReadonlyArray<number> => {
  const [n = 0] = queries.shape
  const [m = 0] = candidates.shape
  return Array.from({ length: n }, (_, i) => {
    const own = dot(queries, i, candidates, i)
    let closer = 0
    for (let j = 0; j < m; j++) if (j !== i && dot(queries, i, candidates, j) >= own) closer++
    return closer
  })
}
