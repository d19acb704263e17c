/**
 * What is in a wheel, a zip archive of up to gigabytes: its directory alone is read into memory. Wheels are read after their digest
 * was found to be the pinned one, so what this does not know of zip (ZIP64, encryption) is refused and nothing is guessed.
 */
import type { FileHandle } from "node:fs/promises"
import { BadData } from "@millrace/core"

export interface WheelEntry {
  readonly name: string
  /** 0 stored, 8 deflated. */
  readonly method: number
  readonly crc: number
  readonly storedBytes: number
  readonly bytes: number
  /** Of its local header. */
  readonly offset: number
  /** Whether its owner may execute it. */
  readonly executable: boolean
}

const signatures = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50 } as const
const lengths = { local: 30, central: 46, end: 22, comment: 65_535 } as const

export const wheelRefusal = (where: string, received: string): BadData =>
  new BadData({
    where,
    expected: "a wheel: a zip archive under 4 GiB",
    received,
    fix: "fetch the wheel again",
  })

/** @throws BadData  the file ends before */
export const readAt = async (file: FileHandle, where: string, position: number, length: number): Promise<Buffer> => {
  const bytes = Buffer.alloc(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done)
    if (bytesRead === 0) throw wheelRefusal(where, `a file that ends at byte ${position + done}`)
    done += bytesRead
  }
  return bytes
}

/** Where the directory is, by the record at the file's end. */
const directoryOf = async (file: FileHandle, where: string) => {
  const { size } = await file.stat()
  const length = Math.min(size, lengths.end + lengths.comment)
  const tail = await readAt(file, where, size - length, length)
  for (let at = length - lengths.end; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== signatures.end || at + lengths.end + tail.readUInt16LE(at + 20) !== length) continue
    const [count, bytes, offset] = [tail.readUInt16LE(at + 10), tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)]
    if (count === 0xffff || offset === 0xffff_ffff) throw wheelRefusal(where, "a ZIP64 archive")
    if (offset + bytes > size) throw wheelRefusal(where, "a directory that reaches beyond the file")
    return { count, bytes, offset }
  }
  throw wheelRefusal(where, "a file without a zip archive's end")
}

/** Every file in a wheel. @throws BadData  it is no zip archive, or of a form that wheels do not have */
export const wheelEntries = async (file: FileHandle, where: string): Promise<ReadonlyArray<WheelEntry>> => {
  const { count, bytes, offset } = await directoryOf(file, where)
  const directory = await readAt(file, where, offset, bytes)
  const entries: Array<WheelEntry> = []
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + lengths.central > bytes || directory.readUInt32LE(at) !== signatures.central) {
      throw wheelRefusal(where, `a directory that is damaged at its entry ${i + 1}`)
    }
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field))
    const name = directory.toString("utf8", at + lengths.central, at + lengths.central + nameBytes!)
    if ((directory.readUInt16LE(at + 8) & 1) !== 0) throw wheelRefusal(where, `an encrypted file, ${name}`)
    entries.push({
      name,
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      storedBytes: directory.readUInt32LE(at + 20),
      bytes: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
      executable: ((directory.readUInt32LE(at + 38) >>> 16) & 0o100) !== 0,
    })
    at += lengths.central + nameBytes! + extraBytes! + commentBytes!
  }
  return entries.filter(({ name }) => !name.endsWith("/"))
}

/** Where the bytes of an entry begin. */
export const dataOf = async (file: FileHandle, where: string, { name, offset }: WheelEntry): Promise<number> => {
  const header = await readAt(file, where, offset, lengths.local)
  if (header.readUInt32LE(0) !== signatures.local) throw wheelRefusal(where, `no file at the place of ${name}`)
  return offset + lengths.local + header.readUInt16LE(26) + header.readUInt16LE(28)
}
