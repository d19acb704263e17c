/** The order in which rows are met. */
import { type Key, random, split } from "@millrace/core"

/**
 * Indices of the rows of a step, out of `count`. Every epoch is a permutation of its own, so that each row is met once
 * an epoch; which rows a step has depends on the key and the step alone.
 */
export const epochRows = (count: number, batch: number, key: Key, step: number): ReadonlyArray<number> => {
  const orders = new Map<number, Int32Array>()
  return Array.from({ length: batch }, (_, i) => {
    const at = step * batch + i
    const epoch = Math.floor(at / count)
    const order = orders.get(epoch) ?? random.permutation(split(key, epoch), count)
    orders.set(epoch, order)
    return order[at % count]!
  })
}
