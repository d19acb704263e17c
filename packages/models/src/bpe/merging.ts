import { byteOrder } from "./bytes.js"
import { latin1 } from "./vocabulary.js"

/** Words on their way to a vocabulary. A pair's count follows each merge, so no merge reads all words again. */
export interface MergeState {
  /** Bytes by token, grown by each merge. */
  readonly tokens: ReadonlyArray<Uint8Array>
  readonly merges: ReadonlyArray<readonly [left: number, right: number]>
  /** Adds a word; all words come before the first merge. */
  readonly add: (word: string, count: number) => void
  /** Merges the most frequent pair. False where no pair occurs twice. */
  readonly merge: () => boolean
}

interface Pair {
  readonly left: number
  readonly right: number
  /** How often the pair occurs, over all words. */
  count: number
  /** Places where it occurs or has occurred, from the left. */
  readonly places: Array<number>
}

/** A pair with the count that it had when it entered the heap. */
interface Candidate {
  readonly pair: Pair
  readonly count: number
}

const byteToken = new Map(byteOrder.map((byte, i) => [byte, i]))

/** An empty state for a vocabulary of at most `vocab` tokens. */
export const mergeState = (vocab: number): MergeState => {
  const tokens = byteOrder.map((byte) => Uint8Array.of(byte))
  const names = tokens.map(latin1)
  const merges: Array<readonly [number, number]> = []
  const pairs = new Map<number, Pair>()
  // All words in one row: the token at each place, the places before and after it in its word, and the word's count.
  const row: Array<number> = []
  const before: Array<number> = []
  const after: Array<number> = []
  const weight: Array<number> = []
  const heap: Array<Candidate> = []
  const utf8 = new TextEncoder()

  /** Whether a merges before b: more frequent, then first by bytes. */
  const first = (a: Candidate, b: Candidate): boolean => {
    if (a.count !== b.count) return a.count > b.count
    if (a.pair.left !== b.pair.left) return names[a.pair.left]! < names[b.pair.left]!
    return names[a.pair.right]! < names[b.pair.right]!
  }
  const push = (value: Candidate): void => {
    let at = heap.length
    heap.push(value)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!first(value, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = value
  }
  const pop = (): Candidate | undefined => {
    const top = heap[0]
    const value = heap.pop()
    if (heap.length === 0 || value === undefined) return top
    let at = 0
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && first(heap[child + 1]!, heap[child]!)) child++
      if (!first(heap[child]!, value)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = value
    return top
  }

  const occurs = (left: number, right: number, count: number, place: number, fresh: Array<Pair>): void => {
    const key = left * vocab + right
    let pair = pairs.get(key)
    if (pair === undefined) {
      pair = { left, right, count: 0, places: [] }
      pairs.set(key, pair)
      fresh.push(pair)
    }
    pair.count += count
    pair.places.push(place)
  }
  const vanishes = (left: number, right: number, count: number): void => {
    const pair = pairs.get(left * vocab + right)
    if (pair !== undefined) pair.count -= count
  }

  const fromWords: Array<Pair> = []
  const add = (word: string, count: number): void => {
    const start = row.length
    for (const byte of utf8.encode(word)) {
      const place = row.length
      row.push(byteToken.get(byte)!)
      before.push(place - 1)
      after.push(place + 1)
      weight.push(count)
      if (place > start) occurs(row[place - 1]!, row[place]!, count, place - 1, fromWords)
    }
    before[start] = -1
    after[row.length - 1] = -1
  }

  const merge = (): boolean => {
    for (const pair of fromWords.splice(0)) push({ pair, count: pair.count })
    let best = pop()
    // Counts only fall once a pair exists, so an entry is at worst too early: put it back where it belongs.
    while (best !== undefined && best.count !== best.pair.count) {
      if (best.pair.count > 1) push({ pair: best.pair, count: best.pair.count })
      best = pop()
    }
    if (best === undefined || best.count < 2) return false
    const { left, right, places } = best.pair
    const made = tokens.length
    tokens.push(Uint8Array.of(...tokens[left]!, ...tokens[right]!))
    names.push(names[left]! + names[right]!)
    merges.push([left, right])
    const fresh: Array<Pair> = []
    for (const place of places) {
      const second = after[place]!
      if (row[place] !== left || second === -1 || row[second] !== right) continue // merged into another meanwhile
      const count = weight[place]!
      const previous = before[place]!
      const following = after[second]!
      if (previous !== -1) {
        vanishes(row[previous]!, left, count)
        occurs(row[previous]!, made, count, previous, fresh)
      }
      if (following !== -1) {
        vanishes(right, row[following]!, count)
        occurs(made, row[following]!, count, place, fresh)
        before[following] = place
      }
      row[place] = made
      row[second] = -1
      after[place] = following
    }
    pairs.delete(left * vocab + right)
    for (const pair of fresh) push({ pair, count: pair.count })
    return true
  }

  return { tokens, merges, add, merge }
}
