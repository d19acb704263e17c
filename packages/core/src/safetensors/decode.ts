import type { Effect } from "effect"
import { attempt } from "../attempt.js"
import { BadData } from "../errors.js"
import type { HostTensors } from "../tensor.js"
import type { Metadata } from "./format.js"
import { type Choose, checkBytes, elementsIn, headerLength, readHeader } from "./header.js"
import { problemsIn } from "./problems.js"

const decode = (bytes: Uint8Array, where: string, choose?: Choose): { tensors: HostTensors; metadata: Metadata } => {
  const start = 8 + headerLength(bytes, bytes.length, where)
  const { entries, metadata } = readHeader(bytes.subarray(8, start), bytes.length - start, where, choose)
  const found = entries.map((entry) => ({ entry, bytes: bytes.subarray(start + entry.begin, start + entry.end) }))
  const problems = problemsIn(where)
  for (const { entry, bytes } of found) checkBytes(entry, bytes, problems)
  problems.raise()
  const tensors = found.map(({ entry, bytes }) => {
    const { name, shape, reader } = entry
    return [name, { dtype: reader.dtype, shape, data: elementsIn(entry, new Uint8Array(bytes)) }] as const
  })
  return { tensors: Object.fromEntries(tensors), metadata }
}

/**
 * Reads a file of named tensors, in the order of their data. F16 and BF16 become float32, U8 becomes int32.
 * @param where   the file's name, for errors
 * @param choose  the names of the tensors to read, by what the header says of all; all unless given. May throw BadData
 * @fails BadData  anything but one well-formed file: every repeated name, hole, overlap, tail and unknown dtype at once,
 *                 before anything is allocated for a tensor
 */
export const decodeSafetensors = (
  bytes: Uint8Array,
  where: string,
  choose?: Choose,
): Effect.Effect<{ readonly tensors: HostTensors; readonly metadata: Metadata }, BadData> =>
  attempt(BadData, () => decode(bytes, where, choose))
