/** Zip archives byte by byte, good and bad: a second writer of the format, after APPNOTE.TXT, that refuses nothing. */
import { createHash } from "node:crypto"
import { crc32, deflateRawSync } from "node:zlib"

export interface Entry {
  readonly name: string
  readonly bytes?: Uint8Array
  readonly deflated?: boolean
  /** What the headers tell where they lie. */
  readonly size?: number
  readonly mode?: number
  readonly flags?: number
  readonly localName?: string
  readonly digest?: string
}

const shorts = (...values: ReadonlyArray<number>): Buffer => {
  const bytes = Buffer.alloc(2 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt16LE(value, 2 * i)
  return bytes
}
const longs = (...values: ReadonlyArray<number>): Buffer => {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, 4 * i)
  return bytes
}

export const archive = (entries: ReadonlyArray<Entry>, count = entries.length): Uint8Array => {
  const files: Array<Buffer> = []
  const directory: Array<Buffer> = []
  let offset = 0
  for (const entry of entries) {
    const { name, bytes = Buffer.from("hello"), deflated = false, mode = 0o100644, flags = 0x0800 } = entry
    const stored = deflated ? deflateRawSync(bytes) : Buffer.from(bytes)
    const digest = entry.digest ?? createHash("sha256").update(stored).digest("hex")
    const sizes = longs(crc32(bytes), stored.length, entry.size ?? bytes.length)
    const common = [shorts(20, flags, deflated ? 8 : 0, 0, 0x21), sizes]
    const central = Buffer.from(name)
    const local = Buffer.from(entry.localName ?? name)
    const file = Buffer.concat([longs(0x04034b50), ...common, shorts(local.length, 0), local, stored])
    directory.push(
      longs(0x02014b50),
      shorts(0x0314),
      ...common,
      shorts(central.length, 0, digest.length, 0, 0),
      longs(mode * 2 ** 16, offset),
      central,
      Buffer.from(digest),
    )
    files.push(file)
    offset += file.length
  }
  const listed = Buffer.concat(directory)
  const end = Buffer.concat([longs(0x06054b50), shorts(0, 0, count, count), longs(listed.length, offset), shorts(0)])
  return Buffer.concat([...files, listed, end])
}
