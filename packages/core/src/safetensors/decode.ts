import type { Effect } from "effect"
import { attempt } from "../attempt.js"
import { BadData } from "../errors.js"
import { readJson } from "../json.js"
import type { DType, HostTensor, HostTensors } from "../tensor.js"
import { littleEndian, METADATA, type Metadata } from "./format.js"

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

interface Entry {
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

const decode = (bytes: Uint8Array, where: string): { tensors: HostTensors; metadata: Metadata } => {
  if (bytes.length < 8) return fail(where, "a safetensors file of at least 10 bytes", `${bytes.length} bytes`, AGAIN)
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true)
  const limit = BigInt(Math.min(bytes.length - 8, MAX_HEADER_BYTES))
  if (length < 2n || length > limit) {
    return fail(where, `a header of 2 to ${limit} bytes`, `${length} bytes`, `not a safetensors file, or ${AGAIN}`)
  }
  const start = 8 + Number(length)
  const header = `${where} > header`
  let text = ""
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, start))
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
  if (covered !== bytes.length - start) {
    return fail(where, `${covered} bytes of data`, `${bytes.length - start} bytes`, AGAIN)
  }
  for (const { name, reader, begin, end } of entries) {
    const wrong =
      reader.dtype === "bool" ? bytes.subarray(start + begin, start + end).find((byte) => byte > 1) : undefined
    if (wrong !== undefined) return fail(`${where} > ${show(name)}`, "0 or 1 for each bool", String(wrong), AGAIN)
  }
  const tensors = entries.map(({ name, reader: { dtype, width, read }, shape, begin, end }) => {
    const data = read(littleEndian(bytes.subarray(start + begin, start + end), width))
    return [name, { dtype, shape, data }] as const
  })
  return { tensors: Object.fromEntries(tensors), metadata: metadata as Metadata }
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
