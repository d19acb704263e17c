/** Damaged weight files: every fault is told at once, and nothing large is allocated for what a header claims. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { BadData, decodeSafetensors, encodeSafetensors, float32, openSafetensors } from "@millrace/core"
import { Effect } from "effect"
import { afterAll, describe, expect, test } from "vitest"

const folder = mkdtempSync(join(tmpdir(), "millrace-damaged-"))
afterAll(() => rmSync(folder, { recursive: true }))

type Entries = Readonly<
  Record<string, readonly [dtype: string, shape: ReadonlyArray<number>, begin: number, end: number]>
>

const textOf = (entries: Entries): string =>
  Object.entries(entries)
    .map(
      ([name, [dtype, shape, begin, end]]) =>
        `"${name}":${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`,
    )
    .join(",")
const fileOf = (header: string, data: number): Uint8Array => {
  const text = Buffer.from(`{${header}}`)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, Buffer.alloc(data)])
}
const refusal = (bytes: Uint8Array): BadData => {
  const error = Effect.runSync(Effect.flip(decodeSafetensors(bytes, "weights.safetensors")))
  expect(error).toBeInstanceOf(BadData)
  return error
}

test("a file with five faults gets five lines", () => {
  const header = textOf({
    dtype: ["F64", [1], 0, 8],
    shape: ["F32", [3], 8, 16],
    overlap: ["F32", [2], 12, 20],
    hole: ["F32", [1], 24, 28],
    cut: ["I32", [4], 28, 44],
  })
  expect(refusal(fileOf(header, 40)).message).toMatchInlineSnapshot(`
    "BadData in weights.safetensors
      expected  "shape": 12 bytes for F32[3]
                "overlap": data from byte 16 on
                "hole": data from byte 20 on
                44 bytes of data
                "dtype": dtype F32, F16, BF16, I32, U8, BOOL
      received  "shape": 8 bytes
                "overlap": from byte 12
                "hole": from byte 24
                40 bytes, which end before "cut" do
                "dtype": "F64"
      fix       the file is damaged or was cut short: write or download it again; save the tensor as float32, int32 or bool, for example with .to(torch.float32)"
  `)
})

test("a name that comes twice is told with the other faults, and leaves no hole behind", () => {
  const header = [textOf({ a: ["F32", [1], 0, 4] }), textOf({ a: ["F32", [2], 4, 12], b: ["F32", [2], 12, 16] })].join(
    ",",
  )
  const { expected, received } = refusal(fileOf(header, 16))
  expect(expected.split("\n")).toEqual(['"a": each key once', '"b": 8 bytes for F32[2]'])
  expect(received.split("\n")).toEqual(['"a": "a" again', '"b": 4 bytes'])
})

test("an entry whose place cannot be told does not make a hole of its data", () => {
  const { expected } = refusal(fileOf(`"a":{"dtype":"F32"},${textOf({ b: ["F32", [1], 4, 8] })}`, 8))
  expect(expected).toBe("an entry of dtype, shape and data_offsets")
})

test("the tensors that a file was cut before are named", () => {
  const names = Array.from({ length: 12 }, (_, i) => `t${i}`)
  const whole = encodeSafetensors(Object.fromEntries(names.map((name) => [name, float32([8], new Float32Array(8))])))
  const { received } = refusal(whole.slice(0, -9 * 32 - 1))
  expect(received).toMatch(/^95 bytes, which end before "t\d+"(, "t\d+"){7} and 2 more do$/)
})

test("two bools that are neither 0 nor 1 are told at once", () => {
  const header = textOf({ a: ["BOOL", [1], 0, 1], b: ["F32", [1], 1, 5], c: ["BOOL", [2], 5, 7] })
  const bytes = fileOf(header, 7)
  bytes[bytes.length - 7] = 2
  bytes[bytes.length - 1] = 255
  expect(refusal(bytes).received.split("\n")).toEqual(['"a": 2', '"c": 255'])
})

test("a tensor of a type that is not read is left alone where it is not chosen, and refused where it is", () => {
  const file = fileOf(textOf({ ids: ["I64", [2], 0, 16], a: ["F32", [1], 16, 20] }), 20)
  const { tensors } = Effect.runSync(
    decodeSafetensors(file, "file", (header) => {
      expect(header).toEqual({ ids: { dtype: "I64", shape: [2] }, a: { dtype: "float32", shape: [1] } })
      return ["a"]
    }),
  )
  expect(tensors).toEqual({ a: float32([1], [0]) })
  expect(refusal(file).received).toBe('"I64"')
})

describe("nothing is allocated for a header that lies:", () => {
  const huge = 2 ** 45
  const giants = Array.from(
    { length: 50 },
    (_, i) => [`g${i}`, ["F32", [huge], i * 4 * huge, (i + 1) * 4 * huge]] as const,
  )
  const wide = Array.from({ length: 200_000 }, () => Number.MAX_SAFE_INTEGER)
  test.each([
    ["tensors of terabytes", fileOf(textOf(Object.fromEntries(giants)), 4), "bytes of data"],
    ["a shape whose product has millions of digits", fileOf(textOf({ a: ["F32", wide, 0, 4] }), 4), "over 2^80 bytes"],
    ["a header of 2^63 bytes", Buffer.from("0000000000000080" + "7b7d", "hex"), "a header of 2 to 2 bytes"],
  ])("%s", (_, bytes, expected) => {
    const before = process.memoryUsage().arrayBuffers
    const begin = performance.now()
    expect(refusal(bytes).expected).toContain(expected)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24)
    expect(performance.now() - begin).toBeLessThan(5000)
  })

  test("a file of 64 GB whose header would be half of it", async () => {
    const path = join(folder, "sparse.safetensors")
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(2n ** 35n)
    writeFileSync(path, length)
    truncateSync(path, 2 ** 36)
    const before = process.memoryUsage().arrayBuffers
    const error = await Effect.runPromise(Effect.scoped(Effect.flip(openSafetensors(path))))
    expect(error.expected).toBe("a header of 2 to 16777216 bytes")
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
  })
})
