import { BadData, ShapeMismatch } from "../errors.js"
import { canonicalJson } from "../json.js"
import { type DType, type HostTensors, showSpec, sizeOf } from "../tensor.js"
import { BIG_ENDIAN, littleEndian, METADATA, type Metadata } from "./format.js"

const STORED: Readonly<Record<DType, string>> = { float32: "F32", int32: "I32", bool: "BOOL" }
const WIDTH: Readonly<Record<DType, number>> = { float32: 4, int32: 4, bool: 1 }

/**
 * A file of named tensors. The header is sorted by name; wider elements come first in the data, so each tensor is
 * aligned to its element and the data to 8 bytes.
 * @fails  ShapeMismatch  data of another length or type than the shape and dtype say
 * @fails  BadData        a name that JSON cannot hold or the format reserves
 */
export const encodeSafetensors = (tensors: HostTensors, metadata: Metadata = {}): Uint8Array => {
  const order = Object.entries(tensors).sort(
    ([a, { dtype: p }], [b, { dtype: q }]) => WIDTH[q] - WIDTH[p] || (a < b ? -1 : 1),
  )
  const header: Record<string, unknown> = {}
  let end = 0
  for (const [name, tensor] of order) {
    const Data = tensor.dtype === "float32" ? Float32Array : tensor.dtype === "int32" ? Int32Array : Uint8Array
    if (tensor.data.length !== sizeOf(tensor.shape) || !(tensor.data instanceof Data)) {
      throw new ShapeMismatch({
        where: `safetensors > ${name}`,
        expected: `${Data.name} of ${sizeOf(tensor.shape)} for ${showSpec(tensor)}`,
        received: `${tensor.data.constructor.name} of ${tensor.data.length}`,
        fix: "give the data's own shape and dtype",
      })
    }
    if (name === METADATA || name === "__proto__") {
      throw new BadData({
        where: "safetensors",
        expected: "names that the format leaves free",
        received: name,
        fix: "rename the tensor",
      })
    }
    const begin = end
    end += tensor.data.byteLength
    header[name] = { dtype: STORED[tensor.dtype], shape: tensor.shape, data_offsets: [begin, end] }
  }
  if (Object.keys(metadata).length > 0) header[METADATA] = metadata
  const json = new TextEncoder().encode(canonicalJson(header))
  const length = Math.ceil(json.length / 8) * 8
  const file = new Uint8Array(8 + length + end)
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true)
  file.fill(0x20, 8, 8 + length)
  file.set(json, 8)
  let at = 8 + length
  for (const [, { data, dtype }] of order) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    file.set(BIG_ENDIAN ? littleEndian(bytes, WIDTH[dtype]) : bytes, at)
    at += bytes.length
  }
  return file
}
