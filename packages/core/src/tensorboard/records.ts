/**
 * TFRecord: each record is its length (64 bits, little-endian), a checksum of that, the bytes, a checksum of those.
 * Source: `tensorflow/core/lib/io/record_writer.h`.
 */
import { BadData } from "../errors.js"
import { maskedCrc32c } from "./crc32c.js"

const frame = 16

/** Records as the bytes of one file. */
export const encodeRecords = (records: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(records.reduce((sum, { length }) => sum + length + frame, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const record of records) {
    view.setBigUint64(at, BigInt(record.length), true)
    view.setUint32(at + 8, maskedCrc32c(bytes.subarray(at, at + 8)), true)
    bytes.set(record, at + 12)
    view.setUint32(at + 12 + record.length, maskedCrc32c(record), true)
    at += record.length + frame
  }
  return bytes
}

/**
 * The records of a file.
 * @param where  the file's name, for errors
 * @throws BadData  a checksum that is not that of its bytes; bytes that end inside of a record
 */
export const decodeRecords = (bytes: Uint8Array, where: string): ReadonlyArray<Uint8Array> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const refuse = (at: number, received: string): never => {
    throw new BadData({
      where: `${where}:${at}`,
      expected: "a whole record with its checksums",
      received,
      fix: "write the file again",
    })
  }
  const records: Array<Uint8Array> = []
  let at = 0
  while (at < bytes.length) {
    if (bytes.length - at < frame) refuse(at, `${bytes.length - at} bytes, less than a frame`)
    if (view.getUint32(at + 8, true) !== maskedCrc32c(bytes.subarray(at, at + 8))) {
      refuse(at, "a length with another checksum")
    }
    const length = view.getBigUint64(at, true)
    if (length > BigInt(bytes.length - at - frame)) refuse(at, `a record of ${length} bytes, more than are left`)
    const record = bytes.subarray(at + 12, at + 12 + Number(length))
    if (view.getUint32(at + 12 + record.length, true) !== maskedCrc32c(record))
      refuse(at, "bytes with another checksum")
    records.push(record)
    at += record.length + frame
  }
  return records
}
