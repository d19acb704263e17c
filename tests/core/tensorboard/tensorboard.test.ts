import { BadData, crc32c, decodeRecords, encodeRecords, maskedCrc32c, scalarEvents } from "@millrace/core"
import fc from "fast-check"
import { describe, expect, test } from "vitest"

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"))

/** What TensorBoard 2.21 itself writes of two steps with a wall time each. */
const written = bytesOf(
  "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c2700000000000000bbe1b146" +
    "09000000000000024010012a1a0a0b0a046c6f7373150000003f0a0b0a0472617465150000003e950df1e81b000000000000001a0d9e13" +
    "09000000000000084010ac022a0d0a0b0a046c6f7373150000c07f961a9c0b",
)

describe("CRC-32C", () => {
  test.each([
    ["32 zeros", new Uint8Array(32), 0x8a9136aa],
    ["32 ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ["0 to 31", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ["31 to 0", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ["the digits 1 to 9", new TextEncoder().encode("123456789"), 0xe3069283],
  ])("of %s is that of RFC 3720", (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected)
  })

  test("is masked as every event file begins with it", () => {
    expect(maskedCrc32c(bytesOf("1800000000000000"))).toBe(0x224b7fa3)
  })
})

describe("records", () => {
  const anyRecords = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 })

  test("come back as they were written", () => {
    fc.assert(
      fc.property(anyRecords, (records) => {
        expect(decodeRecords(encodeRecords(records), "file").map((record) => [...record])).toEqual(
          records.map((record) => [...record]),
        )
      }),
    )
  })

  test("with any one bit changed, or any of their end cut off, are refused", () => {
    fc.assert(
      fc.property(anyRecords, fc.nat(), fc.nat(7), (records, place, bit) => {
        const bytes = encodeRecords(records)
        fc.pre(bytes.length > 0)
        const changed = Uint8Array.from(bytes)
        changed[place % bytes.length]! ^= 1 << bit
        expect(() => decodeRecords(changed, "file")).toThrow(BadData)
        // What ends just after a record is a shorter file, and nothing is wrong with it.
        const ends = records.map((_, i) => encodeRecords(records.slice(0, i)).length)
        const cut = place % bytes.length
        if (!ends.includes(cut)) expect(() => decodeRecords(bytes.subarray(0, cut), "file")).toThrow(BadData)
      }),
    )
  })
})

describe("scalars", () => {
  test("are the bytes that TensorBoard writes of the same", () => {
    const points = [
      { step: 1, time: 2.25, values: { loss: 0.5, rate: 0.125 } },
      { step: 300, time: 3, values: { loss: Number.NaN } },
    ]
    expect(Buffer.from(scalarEvents(1.5, points)).toString("hex")).toBe(Buffer.from(written).toString("hex"))
  })

  test("of TensorBoard's own file are read as three records", () => {
    expect(decodeRecords(written, "file").map(({ length }) => length)).toEqual([24, 39, 27])
  })
})
