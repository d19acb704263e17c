/** What stands at the start of a file: names, types and places of its tensors. */

import { BadData } from "../errors.js"
import { readJson } from "../json.js"
import type { DType, HostTensor } from "../tensor.js"
import { METADATA, type Metadata, swap } from "./format.js"

/** Longer headers are refused: 16 MiB is about a hundred thousand tensors. */
const MAX_HEADER_BYTES = 2 ** 24

/** IEEE binary16 to a double. */
const half = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}

interface Reader {
  readonly width: number
  readonly dtype: DType
  readonly read: (bytes: Uint8Array<ArrayBuffer>) => HostTensor["data"]
}

/** The element types read, all of them without loss. */
const READERS: Readonly<Record<string, Reader>> = {
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

const fail = (where: string, expected: string, received: string, fix: string): never => {
  throw new BadData({ where, expected, received, fix })
}
const AGAIN = "the file is damaged or was cut short: write or download it again"
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isCounts = (value: unknown): value is ReadonlyArray<number> =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0)
/** A foreign value for an error message. */
const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

/** A tensor of a file: what reads its bytes, and where they are, counted from the first byte of data. */
export interface Entry {
  readonly name: string
  readonly reader: Reader
  readonly shape: ReadonlyArray<number>
  readonly begin: number
  readonly end: number
}

const readEntry = (name: string, value: unknown, where: string): Entry => {
  const at = `${where} > ${show(name)}`
  if (!isRecord(value) || Object.keys(value).sort().join() !== "data_offsets,dtype,shape") {
    return fail(at, "an entry of dtype, shape and data_offsets", show(value), AGAIN)
  }
  const { dtype, shape, data_offsets: offsets } = value
  const reader = typeof dtype === "string" && Object.hasOwn(READERS, dtype) ? READERS[dtype] : undefined
  if (reader === undefined) {
    const fix = "save the tensor as float32, int32 or bool, for example with .to(torch.float32)"
    return fail(at, `dtype ${Object.keys(READERS).join(", ")}`, show(dtype), fix)
  }
  if (!isCounts(shape)) return fail(at, "a shape of non-negative integers", show(shape), AGAIN)
  if (!isCounts(offsets) || offsets.length !== 2) return fail(at, "two byte offsets", show(offsets), AGAIN)
  const [begin, end] = [offsets[0]!, offsets[1]!]
  const size = shape.reduce((product, axis) => product * BigInt(axis), BigInt(reader.width)) // cannot overflow
  if (size !== BigInt(end - begin)) {
    return fail(at, `${size} bytes for ${dtype}[${shape.slice(0, 8).join(", ")}]`, `${end - begin} bytes`, AGAIN)
  }
  return { name, reader, shape, begin, end }
}

/**
 * The length of a file's header.
 * @param first  the first 8 bytes
 * @param size   bytes of the whole file
 * @throws BadData
 */
export const headerLength = (first: Uint8Array, size: number, where: string): number => {
  if (size < 8) return fail(where, "a safetensors file of at least 10 bytes", `${size} bytes`, AGAIN)
  const length = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true)
  const limit = BigInt(Math.min(size - 8, MAX_HEADER_BYTES))
  if (length < 2n || length > limit) {
    return fail(where, `a header of 2 to ${limit} bytes`, `${length} bytes`, `not a safetensors file, or ${AGAIN}`)
  }
  return Number(length)
}

export interface Header {
  /** In the order of their data. */
  readonly entries: ReadonlyArray<Entry>
  readonly metadata: Metadata
}

/**
 * A file's header, checked.
 * @param bytes      the header alone
 * @param dataBytes  how many bytes follow it
 * @throws BadData
 */
export const readHeader = (bytes: Uint8Array, dataBytes: number, where: string): Header => {
  const header = `${where} > header`
  let text = ""
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return fail(header, "UTF-8", "other bytes", AGAIN)
  }
  if (!text.startsWith("{")) return fail(header, 'a first character "{"', show(text.slice(0, 1)), AGAIN)
  const { [METADATA]: metadata = {}, ...rest } = readJson(text, header) as Record<string, unknown>
  if (!isRecord(metadata) || !Object.values(metadata).every((item) => typeof item === "string")) {
    return fail(`${header} > ${METADATA}`, "a record of texts", show(metadata), AGAIN)
  }
  const entries = Object.entries(rest)
    .map(([name, value]) => readEntry(name, value, where))
    .sort((a, b) => a.begin - b.begin || a.end - b.end)
  let covered = 0
  for (const { name, begin, end } of entries) {
    if (begin !== covered) {
      return fail(`${where} > ${show(name)}`, `data from byte ${covered} on`, `from byte ${begin}`, AGAIN)
    }
    covered = end
  }
  if (covered !== dataBytes) {
    return fail(where, `${covered} bytes of data`, `${dataBytes} bytes`, AGAIN)
  }
  return { entries, metadata: metadata as Metadata }
}

/** @throws BadData  a bool in a piece of a tensor's bytes that is neither 0 nor 1 */
export const checkBytes = ({ name, reader }: Entry, bytes: Uint8Array, where: string): void => {
  const wrong = reader.dtype === "bool" ? bytes.find((byte) => byte > 1) : undefined
  if (wrong !== undefined) fail(`${where} > ${show(name)}`, "0 or 1 for each bool", String(wrong), AGAIN)
}

/** The elements in a piece of a tensor's bytes, which are all of their buffer: they become the elements where they can. */
export const elementsIn = ({ reader: { read, width } }: Entry, bytes: Uint8Array<ArrayBuffer>): HostTensor["data"] =>
  read(swap(bytes, width))
