/**
 * The bytes of a zip archive, in the one form that crates have: names in order, one entry behind the other, no dates, no
 * extra fields, and with each entry the SHA-256 of its stored bytes. There is one archive for given entries, so whoever
 * reads one can write its structure again and compare: no byte is left unchecked.
 * Source   PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16
 */
import { TextEncoder } from "node:util"

/** How an entry's bytes are stored: as they are, or deflated. */
export type Method = 0 | 8

export interface StoredEntry {
  readonly name: string
  readonly method: Method
  readonly crc: number
  /** Bytes in the archive. */
  readonly stored: number
  /** Bytes of the file. */
  readonly size: number
  /** Where its local header begins. */
  readonly offset: number
  /** SHA-256 of the stored bytes, in hex. */
  readonly digest: string
}

export const signatures = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50 } as const
export const lengths = { local: 30, central: 46, end: 22, digest: 64 } as const

/** Made on Unix, so that the mode counts; by version 2.0 of the format. */
const madeBy = 0x0314
const version = 20
/** Names are UTF-8. */
const flags = 0x0800
/** Midnight of 1 January 1980, the first that the format can tell. */
const time = 0
const date = 0x21
/** A plain file, rw-r--r--. */
const mode = 0o100644 * 2 ** 16

const utf8 = new TextEncoder()

const fields = (length: number, texts: ReadonlyArray<Uint8Array>) => {
  const bytes = new Uint8Array(length + texts.reduce((sum, text) => sum + text.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const [i, text] of texts.entries()) {
    bytes.set(text, length + texts.slice(0, i).reduce((sum, { length }) => sum + length, 0))
  }
  const write = {
    short: (value: number) => {
      view.setUint16(at, value, true)
      at += 2
      return write
    },
    long: (value: number) => {
      view.setUint32(at, value, true)
      at += 4
      return write
    },
    bytes,
  }
  return write
}

/** What stands before an entry's bytes. */
export const localHeader = ({ name, method, crc, stored, size }: StoredEntry): Uint8Array => {
  const text = utf8.encode(name)
  return fields(lengths.local, [text])
    .long(signatures.local)
    .short(version)
    .short(flags)
    .short(method)
    .short(time)
    .short(date)
    .long(crc)
    .long(stored)
    .long(size)
    .short(text.length)
    .short(0).bytes
}

/** What the directory at the end says of an entry. */
export const centralHeader = ({ name, method, crc, stored, size, offset, digest }: StoredEntry): Uint8Array => {
  const text = utf8.encode(name)
  return fields(lengths.central, [text, utf8.encode(digest)])
    .long(signatures.central)
    .short(madeBy)
    .short(version)
    .short(flags)
    .short(method)
    .short(time)
    .short(date)
    .long(crc)
    .long(stored)
    .long(size)
    .short(text.length)
    .short(0)
    .short(digest.length)
    .short(0)
    .short(0)
    .long(mode)
    .long(offset).bytes
}

/** The last bytes of the archive. */
export const endRecord = (count: number, size: number, offset: number): Uint8Array =>
  fields(lengths.end, [])
    .long(signatures.end)
    .short(0)
    .short(0)
    .short(count)
    .short(count)
    .long(size)
    .long(offset)
    .short(0).bytes
