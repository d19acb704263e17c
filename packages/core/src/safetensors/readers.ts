/** How the bytes of each element type become elements. */
import type { DType, HostTensor } from "../tensor.js"

/** IEEE binary16 to a double. */
const half = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}

export interface Reader {
  readonly width: number
  readonly dtype: DType
  readonly read: (bytes: Uint8Array<ArrayBuffer>) => HostTensor["data"]
}

/** The element types read, all of them without loss. */
export const READERS: Readonly<Record<string, Reader>> = {
  F32: { width: 4, dtype: "float32", read: ({ buffer }) => new Float32Array(buffer) },
  F16: { width: 2, dtype: "float32", read: ({ buffer }) => Float32Array.from(new Uint16Array(buffer), half) },
  BF16: {
    width: 2,
    dtype: "float32",
    read: ({ buffer }) => new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer),
  },
  I32: { width: 4, dtype: "int32", read: ({ buffer }) => new Int32Array(buffer) },
  U8: { width: 1, dtype: "int32", read: (bytes) => Int32Array.from(bytes) },
  BOOL: { width: 1, dtype: "bool", read: (bytes) => bytes },
}

/** Element types of the format that are not read. Tensors of them may stand in a file, where nobody asks for them. */
export const WIDTHS: Readonly<Record<string, number>> = { F64: 8, I64: 8, U64: 8, U32: 4, I16: 2, U16: 2, I8: 1 }
