/**
 * Ranks and nearest rows among features of length 1, on the host.
 * Axes     n queries, m keys, j joint width
 */

/** Features of length 1, row by row. float32 n j */
export interface Features {
  readonly joint: number
  readonly data: Float32Array
}

/** The cosines of one query with all keys. m */
export const cosinesOf = (queries: Features, query: number, keys: Features): Float32Array => {
  const { joint, data } = keys
  const scores = new Float32Array(data.length / joint)
  const at = query * joint
  for (let k = 0; k < scores.length; k++) {
    let sum = 0
    for (let j = 0; j < joint; j++) sum += queries.data[at + j]! * data[k * joint + j]!
    scores[k] = sum
  }
  return scores
}

/**
 * The place of each query's own key among all keys, 0 where it is the nearest. Of keys that are equally near the own one is
 * the last: features that are all the same are no success, and nothing is found by luck.
 * @param own  which key belongs to each query
 */
export const ranksOf = (queries: Features, keys: Features, own: ReadonlyArray<number>): ReadonlyArray<number> =>
  own.map((key, query) => {
    const scores = cosinesOf(queries, query, keys)
    const score = scores[key]!
    let near = 0
    for (const [at, other] of scores.entries()) if (at !== key && other >= score) near++
    return near
  })

/** The k largest scores, largest first; of equal ones the first. */
export const nearest = (
  scores: Float32Array,
  k: number,
): ReadonlyArray<{ readonly row: number; readonly score: number }> =>
  Array.from(scores, (score, row) => ({ row, score }))
    .sort((a, b) => b.score - a.score || a.row - b.row)
    .slice(0, k)

/** One feature from those of several prompts: their mean, at length 1 again. All of one number of rows. */
export const ensembleOf = (prompts: ReadonlyArray<Features>): Features => {
  const { joint, data } = prompts[0]!
  const sums = new Float32Array(data.length)
  for (const prompt of prompts) for (let i = 0; i < sums.length; i++) sums[i]! += prompt.data[i]!
  for (let from = 0; from < sums.length; from += joint) {
    const row = sums.subarray(from, from + joint)
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0))
    for (let j = 0; j < joint; j++) row[j]! /= length
  }
  return { joint, data: sums }
}
