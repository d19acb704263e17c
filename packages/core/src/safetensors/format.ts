/**
 * The safetensors file format: 8 bytes of header length, a JSON header, the tensors' bytes.
 * Source   https://github.com/huggingface/safetensors, "Format". Written files are a function of their content alone.
 * Differs  stricter in reading: repeated names, holes, overlaps and tails are refused, and nothing is allocated before
 *          every check has passed.
 */
/** Texts that travel in a file's header. */
export type Metadata = Readonly<Record<string, string>>

/** The one name in a header that is no tensor. */
export const METADATA = "__metadata__"
/** Whether this machine stores the high byte first. */
export const BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0

/** Turns elements of this machine's order into little-endian ones, or back, in place. */
export const swap = (bytes: Uint8Array<ArrayBuffer>, width: number): Uint8Array<ArrayBuffer> => {
  if (BIG_ENDIAN && width === 4) Buffer.from(bytes.buffer).swap32()
  if (BIG_ENDIAN && width === 2) Buffer.from(bytes.buffer).swap16()
  return bytes
}

/** The bytes of a tensor, little-endian, in memory of their own: aligned for any element type. */
export const littleEndian = (bytes: Uint8Array, width: number): Uint8Array<ArrayBuffer> =>
  swap(new Uint8Array(bytes), width)
