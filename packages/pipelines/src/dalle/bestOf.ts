/** What is to be expected of the best of n candidates, from more than n of them. */

/**
 * The probability that each of N candidates is the best of n drawn from them without replacement: of that of rank r, worst
 * first from 0, it is C(r, n − 1) / C(N, n). Of equal scores the one drawn first is the better, as a reranker has it.
 * @param scores  more is better
 * @param n       1 … N
 * @returns       in the order of the scores
 * @law           the expected score never falls as n grows
 * @law           n = 1 has all alike, n = N the best alone
 */
export const bestOfWeights = (scores: ReadonlyArray<number>, n: number): ReadonlyArray<number> => {
  const order = scores.map((_, i) => i).sort((a, b) => scores[a]! - scores[b]! || b - a)
  const weights = new Array<number>(scores.length).fill(0)
  const total = scores.length
  // C(r, n − 1) / C(N, n) = n / N · Π (r − i) / (N − 1 − i) over i = 0 … n − 2.
  for (const [rank, at] of order.entries()) {
    let weight = n / total
    for (let i = 0; i < n - 1; i++) weight *= Math.max(0, rank - i) / (total - 1 - i)
    weights[at] = weight
  }
  return weights
}

/** The mean of `values` over candidates that are the best of n by `scores`. */
export const expectedBest = (scores: ReadonlyArray<number>, values: ReadonlyArray<number>, n: number): number =>
  bestOfWeights(scores, n).reduce((sum, weight, i) => sum + weight * values[i]!, 0)

/** Places of candidates, the best first; of equal scores the one drawn first. */
export const ranking = (scores: ReadonlyArray<number>): ReadonlyArray<number> =>
  scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b)
