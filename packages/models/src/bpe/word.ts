import type { PairTable } from "./pairs.js"

/**
 * Merges one word in place: the first `n` of `tokens` become fewer, and their number is returned.
 * The pair of the lowest rank merges first, of equal ranks the leftmost. A heap of candidates makes it O(n log n), so a
 * word of a hundred thousand letters is no trap.
 * @param into     the token that the pair of each rank makes
 * @param dropped  BPE-dropout: whether a candidate is left out of the choice of the next merge; asked anew for each merge
 *                 of each candidate that would come first. The word is done when all candidates were left out of one choice
 */
export const mergeWord = (
  tokens: Int32Array,
  n: number,
  pairs: PairTable,
  into: Int32Array,
  dropped?: () => boolean,
): number => {
  if (n < 2) return n
  const next = new Int32Array(n)
  const previous = new Int32Array(n)
  // A candidate is rank · n + place: ordered by rank, then from the left, and exact below 2^53.
  const heap: Array<number> = []
  const offer = (left: number): void => {
    const right = next[left]!
    if (right === n) return
    const rank = pairs.rank(tokens[left]!, tokens[right]!)
    if (rank !== -1) push(heap, rank * n + left)
  }
  for (let i = 0; i < n; i++) {
    next[i] = i + 1
    previous[i] = i - 1
  }
  for (let i = 0; i + 1 < n; i++) offer(i)
  const aside: Array<number> = []
  for (let candidate = pop(heap); candidate !== undefined; candidate = pop(heap)) {
    const left = candidate % n
    const rank = (candidate - left) / n
    const right = next[left]!
    // Stale where one of the two has merged meanwhile: a dead place holds token -1, which no pair has.
    if (right === n || pairs.rank(tokens[left]!, tokens[right]!) !== rank) continue
    if (dropped?.()) {
      aside.push(candidate)
      continue
    }
    for (const each of aside.splice(0)) push(heap, each)
    tokens[left] = into[rank]!
    tokens[right] = -1
    const after = next[right]!
    next[left] = after
    if (after < n) previous[after] = left
    if (previous[left]! >= 0) offer(previous[left]!)
    offer(left)
  }
  let length = 0
  for (let i = 0; i < n; i = next[i]!) tokens[length++] = tokens[i]!
  return length
}

/** Binary heap, smallest first. */
const push = (heap: Array<number>, value: number): void => {
  let at = heap.length
  heap.push(value)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (heap[parent]! <= value) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = value
}

const pop = (heap: Array<number>): number | undefined => {
  const top = heap[0]
  const value = heap.pop()
  if (heap.length === 0 || value === undefined) return top
  let at = 0
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++
    if (heap[child]! >= value) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = value
  return top
}
