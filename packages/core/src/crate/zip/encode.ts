/** Files as a zip archive whose bytes depend on names and contents alone. */
import { crc32 } from "node:zlib"
import { deflateSync } from "fflate"
import { type Files, sha256 } from "../../artifact.js"
import { BadData } from "../../errors.js"
import { collisionIn, whyNotEntryName } from "./entryName.js"
import { centralHeader, endRecord, lengths, localHeader, type StoredEntry } from "./layout.js"
import { zipLimits } from "./limits.js"

/** What deflating gains nothing on. */
const dense = /\.(?:safetensors|png|jpe?g)$/

/** Deflated by code that is pinned with this package: zlib's own output differs between versions and processors. */
const packed = (name: string, bytes: Uint8Array): Uint8Array | null => {
  if (dense.test(name) || bytes.length === 0) return null
  const deflated = deflateSync(bytes, { level: 6 })
  return deflated.length < bytes.length && bytes.length <= zipLimits.ratio * deflated.length ? deflated : null
}

const refusal = (where: string, expected: string, received: string, fix: string): BadData =>
  new BadData({ where, expected, received, fix })

/**
 * The archive of some files.
 * @throws BadData  a name that is none of a file inside a folder, two that collide, or more than an archive can hold
 */
export const encodeZip = (files: Files): Uint8Array => {
  const names = Object.keys(files).sort((a, b) => (a < b ? -1 : 1))
  for (const name of names) {
    const why = whyNotEntryName(name)
    if (why !== null) throw refusal(name, "the name of a file inside a folder", why, "rename the file")
  }
  const collision = collisionIn(names)
  if (collision !== null) {
    throw refusal(
      collision[1],
      "one file of a name, whatever its case",
      `another is ${collision[0]}`,
      "rename one of the two",
    )
  }
  const total = names.reduce((sum, name) => sum + files[name]!.length, 0)
  if (names.length > zipLimits.entries || total > zipLimits.total) {
    throw refusal(
      "archive",
      `at most ${zipLimits.entries} files of ${zipLimits.total} bytes together`,
      `${names.length} files of ${total} bytes`,
      "publish a smaller run, or its weights apart from it",
    )
  }
  const chunks: Array<Uint8Array> = []
  const entries: Array<StoredEntry> = []
  let offset = 0
  for (const name of names) {
    const bytes = files[name]!
    const deflated = packed(name, bytes)
    const stored = deflated ?? bytes
    const entry: StoredEntry = {
      name,
      method: deflated === null ? 0 : 8,
      crc: crc32(bytes),
      stored: stored.length,
      size: bytes.length,
      offset,
      digest: sha256(stored),
    }
    const header = localHeader(entry)
    chunks.push(header, stored)
    entries.push(entry)
    offset += header.length + stored.length
  }
  const directory = entries.map(centralHeader)
  const size = directory.reduce((sum, { length }) => sum + length, 0)
  if (offset + size + lengths.end > zipLimits.total) {
    throw refusal(
      "archive",
      `at most ${zipLimits.total} bytes`,
      `${offset + size + lengths.end}`,
      "publish a smaller run",
    )
  }
  return Buffer.concat([...chunks, ...directory, endRecord(entries.length, size, offset)])
}
