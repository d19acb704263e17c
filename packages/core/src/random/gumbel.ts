import type { Key } from "./key.js"
import { ln } from "./logarithm.js"
import { count } from "./shape.js"
import { words } from "./threefry.js"
import type { Float32Tensor } from "./uniform.js"

/** -ln(-ln u) of a word as u in (0, 1). */
export const gumbelOf = (word: number): number => -ln(-ln((word + 0.5) * 2 ** -32))

/**
 * Independent standard Gumbel float32 in (-3.2, 22.9). Element i is a function of the key and i alone.
 * @law  the index of the largest logit + gumbel is a draw from softmax(logits)
 */
export const gumbel = (key: Key, shape: ReadonlyArray<number>): Float32Tensor => {
  const bits = words(key, count(shape, "random.gumbel"))
  const data = new Float32Array(bits.buffer)
  for (let i = 0; i < bits.length; i++) data[i] = gumbelOf(bits[i]!)
  return { dtype: "float32", shape, data }
}
