import { BadConfig } from "../errors.js"
import type { HostTensor } from "../tensor.js"
import type { Key } from "./key.js"
import { count } from "./shape.js"
import { block, RETRY, words } from "./threefry.js"

/** A uniform integer in [0, span), span ≤ 2^32, from the word at `index`. Rejection makes it exact: no modulo bias. */
export const below = (key: Key, index: number, word: number, span: number): number => {
  const limit = 2 ** 32 - (2 ** 32 % span)
  let accepted = word
  for (let attempt = 1; accepted >= limit; attempt++) accepted = block(key, RETRY + attempt, index)[0]
  return accepted % span
}

/**
 * Independent int32 in [low, high), each value equally likely. Element i is a function of the key and i alone.
 * @fails  BadConfig  low and high are not integers of int32 with low < high
 */
export const integers = (
  key: Key,
  shape: ReadonlyArray<number>,
  low: number,
  high: number,
): HostTensor & { readonly dtype: "int32"; readonly data: Int32Array } => {
  if (!Number.isInteger(low) || !Number.isInteger(high) || low < -(2 ** 31) || high > 2 ** 31 || low >= high) {
    throw new BadConfig({
      where: "random.integers",
      expected: "integers with -2^31 ≤ low < high ≤ 2^31",
      received: `low = ${low}, high = ${high}`,
      fix: "high is not drawn itself: give one more than the largest value",
    })
  }
  const bits = words(key, count(shape, "random.integers"))
  const data = new Int32Array(bits.buffer)
  for (let i = 0; i < bits.length; i++) data[i] = low + below(key, i, bits[i]!, high - low)
  return { dtype: "int32", shape, data }
}
