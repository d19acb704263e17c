import { BadConfig } from "../errors.js"
import { below } from "./integers.js"
import type { Key } from "./key.js"
import { count } from "./shape.js"
import { words } from "./threefry.js"

/**
 * k distinct integers of 0 … n - 1 in random order; every ordered choice is equally likely.
 * A larger k extends a smaller one. Takes time and memory O(k) where k is much smaller than n.
 * @fails  BadConfig  not 0 ≤ k ≤ n
 * @source  Fisher and Yates, in Durstenfeld's form (1964), from the front
 */
export const choose = (key: Key, n: number, k: number): Int32Array => {
  if (!(Number.isInteger(k) && k >= 0 && k <= n)) {
    throw new BadConfig({
      where: "random.choose",
      expected: "integers 0 ≤ k ≤ n",
      received: `n = ${n}, k = ${k}`,
      fix: "choose at most as many as there are",
    })
  }
  const size = count([n], "random.choose")
  const bits = words(key, k)
  if (k < size / 16) {
    const moved = new Map<number, number>() // place -> what a swap put there; all other places hold themselves
    return Int32Array.from(bits, (word, i) => {
      const j = i + below(key, i, word, size - i)
      const chosen = moved.get(j) ?? j
      moved.set(j, moved.get(i) ?? i)
      return chosen
    })
  }
  const places = Int32Array.from({ length: size }, (_, i) => i)
  for (let i = 0; i < k; i++) {
    const j = i + below(key, i, bits[i]!, size - i)
    const chosen = places[j]!
    places[j] = places[i]!
    places[i] = chosen
  }
  return k === size ? places : places.slice(0, k)
}

/** 0 … n - 1 in random order; every order is equally likely. */
export const permutation = (key: Key, n: number): Int32Array => choose(key, n, n)

/** A copy of the items in random order: item i of the result is `items[permutation(key, n)[i]]`. */
export const shuffled = <Item>(key: Key, items: ReadonlyArray<Item>): Array<Item> =>
  Array.from(permutation(key, items.length), (i) => items[i] as Item)
