import type { Effect } from "effect"
import { attempt } from "../attempt.js"
import { BadData } from "../errors.js"
import type { HostTensors } from "../tensor.js"
import type { Metadata } from "./format.js"
import { checkBytes, elementsIn, headerLength, readHeader } from "./header.js"

const decode = (bytes: Uint8Array, where: string): { tensors: HostTensors; metadata: Metadata } => {
  const start = 8 + headerLength(bytes, bytes.length, where)
  const { entries, metadata } = readHeader(bytes.subarray(8, start), bytes.length - start, where)
  const found = entries.map((entry) => ({ entry, bytes: bytes.subarray(start + entry.begin, start + entry.end) }))
  for (const { entry, bytes } of found) checkBytes(entry, bytes, where)
  const tensors = found.map(({ entry, bytes }) => {
    const { name, shape, reader } = entry
    return [name, { dtype: reader.dtype, shape, data: elementsIn(entry, new Uint8Array(bytes)) }] as const
  })
  return { tensors: Object.fromEntries(tensors), metadata }
}

/**
 * Reads a file of named tensors, in the order of their data. F16 and BF16 become float32, U8 becomes int32.
 * @param where  the file's name, for errors
 * @fails BadData  anything but one well-formed file: no repeated name, hole, overlap, tail or unknown dtype
 */
export const decodeSafetensors = (
  bytes: Uint8Array,
  where: string,
): Effect.Effect<{ readonly tensors: HostTensors; readonly metadata: Metadata }, BadData> =>
  attempt(BadData, () => decode(bytes, where))
