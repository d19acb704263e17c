/** A fixed table from pairs of tokens to ranks: open addressing in flat memory, since encoding asks it for every pair. */
export interface PairTable {
  /** The pair's rank, or -1. */
  readonly rank: (left: number, right: number) => number
}

/** The ranks of pairs: pair i has rank i. A pair that comes twice keeps its first rank. */
export const pairTable = (pairs: ReadonlyArray<readonly [left: number, right: number]>): PairTable => {
  const bits = Math.max(4, 33 - Math.clz32(pairs.length))
  const mask = 2 ** bits - 1 // at most half of the places are taken
  const lefts = new Int32Array(mask + 1).fill(-1)
  const rights = new Int32Array(mask + 1)
  const ranks = new Int32Array(mask + 1).fill(-1)
  /** The place that holds the pair, or the free one where it would go. */
  const place = (left: number, right: number): number => {
    let at = ((Math.imul(left, 0x9e3779b1) + Math.imul(right, 0x85ebca6b)) >>> (32 - bits)) & mask
    while (lefts[at] !== -1 && (lefts[at] !== left || rights[at] !== right)) at = (at + 1) & mask
    return at
  }
  pairs.forEach(([left, right], rank) => {
    const at = place(left, right)
    if (lefts[at] !== -1) return
    lefts[at] = left
    rights[at] = right
    ranks[at] = rank
  })
  return { rank: (left, right) => ranks[place(left, right)]! }
}
