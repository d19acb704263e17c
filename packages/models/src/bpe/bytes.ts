/**
 * GPT-2's writing of bytes as printable characters: the file format of its vocabulary, never the text itself.
 * Printable Latin-1 stands for itself; the other 68 bytes become U+0100, U+0101, … in their order.
 * Source   the released encoder of Radford et al. 2019.
 */

const isPrintable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae

const all = Array.from({ length: 256 }, (_, byte) => byte)

/** The bytes in the order of GPT-2's first 256 tokens: the printable ones first. */
export const byteOrder: ReadonlyArray<number> = [
  ...all.filter(isPrintable),
  ...all.filter((byte) => !isPrintable(byte)),
]

const signOf = new Map(byteOrder.map((byte, i) => [byte, String.fromCharCode(i < 188 ? byte : 256 + i - 188)]))
const byteOf = new Map([...signOf].map(([byte, sign]) => [sign, byte]))

/** Bytes as printable characters, one each. */
export const printBytes = (bytes: Uint8Array): string => Array.from(bytes, (byte) => signOf.get(byte)).join("")

/** The bytes that a token's writing stands for; undefined where a character stands for none. */
export const parseBytes = (text: string): Uint8Array | undefined => {
  const bytes = Array.from(text, (sign) => byteOf.get(sign))
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : undefined
}
