/** The best of n candidates, each n on candidates of its own. */
import type { Candidate, RankedDrawn, Request } from "../artifacts/candidates.js"

/** Places of candidates, the best first; of equal scores the one drawn first. */
export const ranking = (scores: ReadonlyArray<number>): ReadonlyArray<number> =>
  scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b)

/** 1, 2, 4, … below the number of candidates: the sizes of sets of fewer. */
export const fewerThan = (most: number): ReadonlyArray<number> => {
  const sizes: Array<number> = []
  for (let n = 1; n < most; n *= 2) sizes.push(n)
  return sizes
}

/** A list cut into parts of so many items, one after the other. */
export const partsOf = <Item>(
  items: ReadonlyArray<Item>,
  sizes: ReadonlyArray<number>,
): ReadonlyArray<ReadonlyArray<Item>> => {
  let at = 0
  return sizes.map((size) => {
    at += size
    return items.slice(at - size, at)
  })
}

/** The best of n candidates for a caption. */
export interface Best {
  readonly n: number
  readonly request: Request
  readonly candidate: Candidate
  readonly score: number
}

/**
 * The best of each set of a caption's candidates, fewest first, all candidates last. No candidate is in two sets, so that the
 * score of the best of more can be less than that of fewer.
 */
export const bestOfEach = ({ request, candidates, scores, fewer, fewerScores }: RankedDrawn): ReadonlyArray<Best> =>
  [...fewer, candidates].map((set, i) => {
    const given = [...fewerScores, scores][i]!
    const [first] = ranking(given)
    return { n: set.length, request, candidate: set[first!]!, score: given[first!]! }
  })
