import { BadConfig } from "../errors.js"
import type { HostTensor } from "../tensor.js"
import type { Key } from "./key.js"
import { count } from "./shape.js"
import { words } from "./threefry.js"

/**
 * Independent booleans that are true with probability p, exact to 2^-32. With one key, a larger p only turns more true.
 * @fails  BadConfig  p is not in [0, 1]
 */
export const bernoulli = (key: Key, shape: ReadonlyArray<number>, p: number): HostTensor => {
  if (!(p >= 0 && p <= 1)) {
    throw new BadConfig({
      where: "random.bernoulli",
      expected: "a probability in [0, 1]",
      received: String(p),
      fix: "give a probability",
    })
  }
  const bits = words(key, count(shape, "random.bernoulli"))
  const threshold = p * 2 ** 32
  const data = new Uint8Array(bits.length)
  for (let i = 0; i < bits.length; i++) data[i] = bits[i]! < threshold ? 1 : 0
  return { dtype: "bool", shape, data }
}
