/** CRC-32C (Castagnoli), the checksum of TFRecord files: polynomial 0x1EDC6F41, bits reflected. Source: RFC 3720, B.4. */

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1
  return rest
})

/** The checksum of some bytes, an unsigned number of 32 bits. */
export const crc32c = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]!
  return ~crc >>> 0
}

/** As a TFRecord keeps it: turned and moved, so that the checksum of data that hold checksums is not weak. */
export const maskedCrc32c = (bytes: Uint8Array): number => {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
