/** What stands at the start of a file: names, types and places of its tensors. */

import { BadData } from "../errors.js"
import { readJson } from "../json.js"
import type { HostTensor } from "../tensor.js"
import { METADATA, type Metadata, swap } from "./format.js"
import { AGAIN, CONVERT, excerpt, type Problems, problemsIn } from "./problems.js"
import { READERS, type Reader, WIDTHS } from "./readers.js"

/** Longer headers are refused: 16 MiB is about a hundred thousand tensors. */
const MAX_HEADER_BYTES = 2 ** 24

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isCounts = (value: unknown): value is ReadonlyArray<number> =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0)

/** A tensor of a file: what reads its bytes, and where they are, counted from the first byte of data. */
export interface Entry {
  readonly name: string
  readonly reader: Reader
  readonly shape: ReadonlyArray<number>
  readonly begin: number
  readonly end: number
}
/** One whose type is not read has the type's name alone. */
type Found = Omit<Entry, "reader"> & { readonly reader: Reader | string }

/** No file has this many bytes: shapes are multiplied no further. */
const LARGEST = 2n ** 80n

const sizeInBytes = (shape: ReadonlyArray<number>, width: number): bigint => {
  if (shape.includes(0)) return 0n
  let size = BigInt(width)
  for (const axis of shape) {
    size *= BigInt(axis)
    if (size > LARGEST) break
  }
  return size
}

/** What a header says of a tensor, with its problems; null where its place cannot be told. */
const readEntry = (name: string, value: unknown, problems: Problems): Found | null => {
  const wrong = (expected: string, received: string, fix?: string): null => {
    problems.add(expected, received, { name, ...(fix === undefined ? {} : { fix }) })
    return null
  }
  if (!isRecord(value) || Object.keys(value).sort().join() !== "data_offsets,dtype,shape") {
    return wrong("an entry of dtype, shape and data_offsets", excerpt(value))
  }
  const { dtype, shape, data_offsets: offsets } = value
  const type = typeof dtype === "string" ? dtype : ""
  const reader = Object.hasOwn(READERS, type) ? READERS[type]! : type
  const width = typeof reader === "string" ? (Object.hasOwn(WIDTHS, reader) ? WIDTHS[reader]! : null) : reader.width
  if (width === null) wrong(`dtype ${Object.keys(READERS).join(", ")}`, excerpt(dtype), CONVERT)
  const shaped = isCounts(shape)
  if (!shaped) wrong("a shape of non-negative integers", excerpt(shape))
  if (!isCounts(offsets) || offsets.length !== 2) return wrong("two byte offsets", excerpt(offsets))
  const [begin, end] = [offsets[0]!, offsets[1]!]
  if (width !== null && shaped) {
    const size = sizeInBytes(shape, width)
    if (size !== BigInt(end - begin)) {
      const bytes = size > LARGEST ? "over 2^80" : String(size)
      wrong(`${bytes} bytes for ${dtype}[${shape.slice(0, 8).join(", ")}]`, `${end - begin} bytes`)
    }
  }
  if (end < begin) return null
  return { name, reader, shape: shaped ? shape : [], begin, end }
}

/**
 * The length of a file's header.
 * @param first  the first 8 bytes
 * @param size   bytes of the whole file
 * @throws BadData
 */
export const headerLength = (first: Uint8Array, size: number, where: string): number => {
  const fail = (expected: string, received: string, fix: string): never => {
    throw new BadData({ where, expected, received, fix })
  }
  if (size < 8) return fail("a safetensors file of at least 10 bytes", `${size} bytes`, AGAIN)
  const length = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true)
  const limit = BigInt(Math.min(size - 8, MAX_HEADER_BYTES))
  if (length < 2n || length > limit) {
    return fail(`a header of 2 to ${limit} bytes`, `${length} bytes`, `not a safetensors file, or ${AGAIN}`)
  }
  return Number(length)
}

export interface Header {
  /** In the order of their data. */
  readonly entries: ReadonlyArray<Entry>
  readonly metadata: Metadata
}

/** Which tensors to read, by what a header says of all: a dtype of ours, or the format's name of one that is not read. */
export type Choose = (
  header: Readonly<Record<string, { readonly dtype: string; readonly shape: ReadonlyArray<number> }>>,
) => ReadonlyArray<string>

const readText = (bytes: Uint8Array, where: string): string => {
  const fail = (expected: string, received: string): never => {
    throw new BadData({ where, expected, received, fix: AGAIN })
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
    return text.startsWith("{") ? text : fail('a first character "{"', excerpt(text.slice(0, 1)))
  } catch (error) {
    if (error instanceof BadData) throw error
    return fail("UTF-8", "other bytes")
  }
}

/** Holes, overlaps and ends of data. Where a place could not be told, others seem to leave a hole, which is not one. */
const checkPlaces = (found: ReadonlyArray<Found>, whole: boolean, dataBytes: number, problems: Problems): void => {
  let covered = 0
  for (const { name, begin, end } of found) {
    if (begin < covered || (whole && begin > covered)) {
      problems.add(`data from byte ${covered} on`, `from byte ${begin}`, { name })
    }
    covered = Math.max(covered, end)
  }
  if (covered > dataBytes || (whole && covered < dataBytes)) {
    const lost = found.filter(({ end }) => end > dataBytes).map(({ name }) => excerpt(name))
    const more = lost.length > 8 ? ` and ${lost.length - 8} more` : ""
    const said = lost.length === 0 ? "" : `, which end before ${lost.slice(0, 8).join(", ")}${more} do`
    problems.add(`${covered} bytes of data`, `${dataBytes} bytes${said}`)
  }
}

/**
 * A file's header, checked.
 * @param bytes      the header alone
 * @param dataBytes  how many bytes follow it
 * @param choose     which tensors to read; all unless given
 * @throws BadData   every entry that is wrong, in one error
 */
export const readHeader = (bytes: Uint8Array, dataBytes: number, where: string, choose?: Choose): Header => {
  const problems = problemsIn(where)
  const place = `${where} > header`
  const again: Array<readonly [string, unknown]> = []
  const read = readJson(readText(bytes, place), place, (name, value) => {
    problems.add("each key once", `${excerpt(name)} again`, { name })
    again.push([name, value])
  }) as Record<string, unknown>
  const { [METADATA]: metadata = {}, ...rest } = read
  if (!isRecord(metadata) || !Object.values(metadata).every((item) => typeof item === "string")) {
    problems.add("a record of texts", excerpt(metadata), { name: METADATA })
  }
  const all = [...Object.entries(rest), ...again.filter(([name]) => name !== METADATA)]
  const found = all
    .flatMap(([name, value]) => readEntry(name, value, problems) ?? [])
    .sort((a, b) => a.begin - b.begin || a.end - b.end)
  checkPlaces(found, found.length === all.length, dataBytes, problems)
  if (choose !== undefined) problems.raise()
  const wanted = choose === undefined ? null : new Set(choose(dtypesOf(found)))
  const entries = found.flatMap((entry): ReadonlyArray<Entry> => {
    const { name, reader } = entry
    if (wanted?.has(name) === false) return []
    if (typeof reader !== "string") return [{ ...entry, reader }]
    if (Object.hasOwn(WIDTHS, reader))
      problems.add(`dtype ${Object.keys(READERS).join(", ")}`, excerpt(reader), { name, fix: CONVERT })
    return []
  })
  problems.raise()
  return { entries, metadata: metadata as Metadata }
}

const dtypesOf = (found: ReadonlyArray<Found>): Parameters<Choose>[0] =>
  Object.fromEntries(
    found.map(({ name, reader, shape }) => [
      name,
      { dtype: typeof reader === "string" ? reader : reader.dtype, shape },
    ]),
  )

/** Finds a bool in a piece of a tensor's bytes that is neither 0 nor 1. */
export const checkBytes = ({ name, reader }: Entry, bytes: Uint8Array, problems: Problems): void => {
  const wrong = reader.dtype === "bool" ? bytes.find((byte) => byte > 1) : undefined
  if (wrong !== undefined) problems.add("0 or 1 for each bool", String(wrong), { name })
}

/** The elements in a piece of a tensor's bytes, which are all of their buffer: they become the elements where they can. */
export const elementsIn = ({ reader: { read, width } }: Entry, bytes: Uint8Array<ArrayBuffer>): HostTensor["data"] =>
  read(swap(bytes, width))
