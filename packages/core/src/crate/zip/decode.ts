/** Files of a zip archive that is not trusted: only the form that `encodeZip` writes, every byte of it checked. */
import { crc32, inflateRawSync } from "node:zlib"
import { type Files, sha256 } from "../../artifact.js"
import { BadData } from "../../errors.js"
import { collisionIn, whyNotEntryName } from "./entryName.js"
import { centralHeader, endRecord, lengths, localHeader, type Method, type StoredEntry, signatures } from "./layout.js"
import { type ZipLimits, zipLimits } from "./limits.js"

const again = "get the crate again, as it was published: its bytes were changed"

const refusal = (where: string, expected: string, received: string, fix = again): BadData =>
  new BadData({ where, expected, received, fix })

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })

/** A name for a message: one line, at most so long. */
const shown = (name: string): string => {
  const text = JSON.stringify(name).slice(1, -1)
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}

/** What the end of the archive says of its directory. */
const readEnd = (bytes: Uint8Array, view: DataView, limits: ZipLimits) => {
  const at = bytes.length - lengths.end
  if (at < 0 || view.getUint32(at, true) !== signatures.end) {
    throw refusal(
      "end of the archive",
      "a zip archive as `millrace publish` writes it",
      `${bytes.length} bytes that end otherwise`,
      "name a crate; if it was one, get it again: it was cut short, changed or packed anew",
    )
  }
  const [count, size, offset] = [
    view.getUint16(at + 10, true),
    view.getUint32(at + 12, true),
    view.getUint32(at + 16, true),
  ]
  if (count > limits.entries) throw refusal("end of the archive", `at most ${limits.entries} files`, `${count}`)
  if (!same(endRecord(count, size, offset), bytes.subarray(at)) || offset + size !== at) {
    throw refusal("end of the archive", "the place of the directory", "other bytes")
  }
  return { count, offset }
}

/** Why what is kept of an entry's kind is none of a plain file's; null where it is. */
const strangeKind = (mode: number, name: string): string | null => {
  if ((mode & 0o170000) === 0o120000) return "a symbolic link"
  if ((mode & 0o170000) === 0o040000 || name.endsWith("/")) return "a folder"
  return null
}

/** The directory: each entry's header is written again and compared. */
const readDirectory = (bytes: Uint8Array, view: DataView, limits: ZipLimits): ReadonlyArray<StoredEntry> => {
  const end = readEnd(bytes, view, limits)
  const entries: Array<StoredEntry> = []
  let at = end.offset
  let expected = 0
  for (let i = 0; i < end.count; i++) {
    const place = `directory of the archive, entry ${i + 1}`
    const long = (by: number): number => view.getUint32(at + by, true)
    const last = bytes.length - lengths.end
    if (at + lengths.central > last || long(0) !== signatures.central) throw refusal(place, "an entry", "other bytes")
    const nameLength = view.getUint16(at + 28, true)
    const length = lengths.central + nameLength + lengths.digest
    if (at + length > last) throw refusal(place, "an entry inside the directory", "one beyond its end")
    const nameAt = at + lengths.central
    const name = utf8.decode(bytes.subarray(nameAt, nameAt + nameLength))
    const kind = strangeKind(long(38) >>> 16, name)
    const why = kind ?? whyNotEntryName(name)
    const called = name === "" ? place : shown(name)
    if (why !== null)
      throw refusal(called, "a plain file inside a folder", `one that is ${why}`, "do not unpack it: it is no crate")
    const method = view.getUint16(at + 10, true)
    const entry: StoredEntry = {
      name,
      method: method as Method,
      crc: long(16),
      stored: long(20),
      size: long(24),
      offset: long(42),
      digest: utf8.decode(bytes.subarray(nameAt + nameLength, at + length)),
    }
    if ((method !== 0 && method !== 8) || !/^[0-9a-f]{64}$/.test(entry.digest) || entry.offset !== expected) {
      throw refusal(
        called,
        "stored or deflated bytes behind those of the entry before, with their digest",
        "other ones",
      )
    }
    if (!same(centralHeader(entry), bytes.subarray(at, at + length))) {
      throw refusal(called, "an entry of the directory as `millrace publish` writes it", "other bytes")
    }
    const before = entries.at(-1)?.name
    if (before !== undefined && before >= name)
      throw refusal(called, "each name once, in order", `after ${shown(before)}`)
    if (entry.size > limits.ratio * entry.stored) {
      throw refusal(
        called,
        `a file of at most ${limits.ratio} times its stored bytes`,
        `${entry.stored} bytes that become ${entry.size}`,
        "do not unpack it: it is no crate",
      )
    }
    entries.push(entry)
    expected += lengths.local + nameLength + entry.stored
    at += length
  }
  if (expected !== end.offset || at !== bytes.length - lengths.end) {
    throw refusal("directory of the archive", "every entry, and nothing between them", "other bytes")
  }
  return entries
}

const readEntry = (bytes: Uint8Array, entry: StoredEntry): Uint8Array => {
  const where = shown(entry.name)
  const header = localHeader(entry)
  const start = entry.offset + header.length
  if (!same(header, bytes.subarray(entry.offset, start)))
    throw refusal(where, "the header that the directory tells", "other bytes")
  const stored = bytes.subarray(start, start + entry.stored)
  if (sha256(stored) !== entry.digest) throw refusal(where, `bytes of SHA-256 ${entry.digest}`, sha256(stored))
  const file = entry.method === 0 ? stored : inflate(stored, entry.size, where)
  if (file.length !== entry.size || crc32(file) !== entry.crc) {
    throw refusal(where, `${entry.size} bytes of CRC-32 ${entry.crc}`, `${file.length} bytes of ${crc32(file)}`)
  }
  return file
}

const inflate = (stored: Uint8Array, size: number, where: string): Uint8Array => {
  try {
    return inflateRawSync(stored, { maxOutputLength: Math.max(1, size) })
  } catch (error) {
    throw refusal(where, `deflated data of ${size} bytes`, error instanceof Error ? error.message : String(error))
  }
}

/**
 * The files of an archive by name, in order.
 * Anything that `encodeZip` would not have written is refused: links, folders, names that lead out, that are there twice or
 * differ in case alone, data that grows too much, and any changed byte. Sizes are checked before anything is unpacked.
 * @throws BadData  `where` names the file
 */
export const decodeZip = (bytes: Uint8Array, limits: ZipLimits = zipLimits): Files => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries = readDirectory(bytes, view, limits)
  const collision = collisionIn(entries.map(({ name }) => name))
  if (collision !== null) {
    throw refusal(
      shown(collision[1]),
      "one file of a name, whatever its case",
      `another is ${shown(collision[0])}`,
      "do not unpack it: it is no crate",
    )
  }
  const total = entries.reduce((sum, { size }) => sum + size, 0)
  if (total > limits.total) throw refusal("archive", `at most ${limits.total} bytes, unpacked`, `${total}`)
  const files: Record<string, Uint8Array> = Object.create(null)
  for (const entry of entries) files[entry.name] = readEntry(bytes, entry)
  return files
}
