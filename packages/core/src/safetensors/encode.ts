import { BadData, ShapeMismatch } from "../errors.js"
import { canonicalJson } from "../json.js"
import { type DType, type HostTensors, type Specs, showSpec, sizeOf } from "../tensor.js"
import { BIG_ENDIAN, littleEndian, METADATA, type Metadata } from "./format.js"

const STORED: Readonly<Record<DType, string>> = { float32: "F32", int32: "I32", bool: "BOOL" }
const WIDTH: Readonly<Record<DType, number>> = { float32: 4, int32: 4, bool: 1 }

/** Where the tensors of a file are, and what stands before them. */
export interface Layout {
  /** Names in the order of their data. */
  readonly order: ReadonlyArray<string>
  /** The length of the header and the header: all up to the first byte of data. */
  readonly head: Uint8Array
  /** Of the whole file. */
  readonly size: number
}

/**
 * The layout of written files, which is a function of names, types and metadata alone. The header is sorted by name; wider
 * elements come first in the data, so each tensor is aligned to its element and the data to 8 bytes.
 * @throws BadData  a name that JSON cannot hold or the format reserves
 */
export const layoutOf = (specs: Specs, metadata: Metadata = {}): Layout => {
  const order = Object.entries(specs).sort(
    ([a, { dtype: p }], [b, { dtype: q }]) => WIDTH[q] - WIDTH[p] || (a < b ? -1 : 1),
  )
  const header: Record<string, unknown> = {}
  let end = 0
  for (const [name, { dtype, shape }] of order) {
    if (name === METADATA || name === "__proto__") {
      throw new BadData({
        where: "safetensors",
        expected: "names that the format leaves free",
        received: name,
        fix: "rename the tensor",
      })
    }
    const begin = end
    end += sizeOf(shape) * WIDTH[dtype]
    header[name] = { dtype: STORED[dtype], shape, data_offsets: [begin, end] }
  }
  if (Object.keys(metadata).length > 0) header[METADATA] = metadata
  const json = new TextEncoder().encode(canonicalJson(header))
  const length = Math.ceil(json.length / 8) * 8
  const head = new Uint8Array(8 + length).fill(0x20, 8)
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true)
  head.set(json, 8)
  return { order: order.map(([name]) => name), head, size: head.length + end }
}

/**
 * A file of named tensors, laid out as `layoutOf` says.
 * @fails  ShapeMismatch  data of another length or type than the shape and dtype say
 * @fails  BadData        a name that JSON cannot hold or the format reserves
 */
export const encodeSafetensors = (tensors: HostTensors, metadata: Metadata = {}): Uint8Array => {
  for (const [name, tensor] of Object.entries(tensors)) {
    const Data = tensor.dtype === "float32" ? Float32Array : tensor.dtype === "int32" ? Int32Array : Uint8Array
    if (tensor.data.length !== sizeOf(tensor.shape) || !(tensor.data instanceof Data)) {
      throw new ShapeMismatch({
        where: `safetensors > ${name}`,
        expected: `${Data.name} of ${sizeOf(tensor.shape)} for ${showSpec(tensor)}`,
        received: `${tensor.data.constructor.name} of ${tensor.data.length}`,
        fix: "give the data's own shape and dtype",
      })
    }
  }
  const { order, head, size } = layoutOf(tensors, metadata)
  const file = new Uint8Array(size)
  file.set(head)
  let at = head.length
  for (const name of order) {
    const { data, dtype } = tensors[name]!
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    file.set(BIG_ENDIAN ? littleEndian(bytes, WIDTH[dtype]) : bytes, at)
    at += bytes.length
  }
  return file
}
