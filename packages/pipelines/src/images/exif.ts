/**
 * The orientation in a block of Exif: 1 to 8, and 1 where it says nothing that can be understood, as viewers do.
 * @source  Exif 2.3, tag 0x0112 of the first directory; TIFF 6.0, section 2
 */
export const orientationOf = (tiff: Uint8Array): number => {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength)
  const short = (at: number, little: boolean): number => (at + 2 <= tiff.length ? view.getUint16(at, little) : 0)
  const order = short(0, false)
  if (order !== 0x4949 && order !== 0x4d4d) return 1
  const little = order === 0x4949
  if (short(2, little) !== 42 || tiff.length < 8) return 1
  const directory = view.getUint32(4, little)
  const entries = short(directory, little)
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + 12 * i
    if (entry + 12 > tiff.length) return 1
    if (short(entry, little) !== 0x0112) continue
    const value = short(entry + 8, little)
    return short(entry + 2, little) === 3 && value >= 1 && value <= 8 ? value : 1
  }
  return 1
}
