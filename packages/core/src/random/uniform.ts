import type { HostTensor } from "../tensor.js"
import type { Key } from "./key.js"
import { count } from "./shape.js"
import { words } from "./threefry.js"

/** A host tensor known to be float32. */
export interface Float32Tensor extends HostTensor {
  readonly dtype: "float32"
  readonly data: Float32Array
}

/** Independent float32 in [0, 1), multiples of 2^-24. Element i is a function of the key and i alone. */
export const uniform = (key: Key, shape: ReadonlyArray<number>): Float32Tensor => {
  const bits = words(key, count(shape, "random.uniform"))
  const data = new Float32Array(bits.buffer) // in place: element i is read before it is written
  for (let i = 0; i < bits.length; i++) data[i] = (bits[i]! >>> 8) * 2 ** -24
  return { dtype: "float32", shape, data }
}
