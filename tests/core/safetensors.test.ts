import { readFileSync } from "node:fs"
import { BadData, decodeSafetensors, encodeSafetensors, float32, type HostTensors, int32, sizeOf } from "@millrace/core"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"

const read = (bytes: Uint8Array) => Effect.runSync(decodeSafetensors(bytes, "weights.safetensors"))
const refusal = (bytes: Uint8Array): BadData =>
  Effect.runSync(Effect.flip(decodeSafetensors(bytes, "weights.safetensors")))

/** A file with any header text and so many bytes of data. */
const file = (header: string | Uint8Array, data = 0, length?: bigint): Uint8Array => {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header
  const bytes = new Uint8Array(8 + text.length + data)
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true)
  bytes.set(text, 8)
  return bytes
}
const entry = (name: string, begin: number, end: number, dtype = "F32", shape = `[${(end - begin) / 4}]`) =>
  `"${name}":{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`

const shapes = fc.array(fc.nat(4), { maxLength: 4 })
const tensors: fc.Arbitrary<HostTensors> = fc.dictionary(
  fc.string({ unit: "grapheme" }).filter((name) => name !== "__proto__" && name !== "__metadata__"),
  shapes.chain((shape) => {
    const size = { minLength: sizeOf(shape), maxLength: sizeOf(shape) }
    return fc.oneof(
      fc.float32Array(size).map((data) => ({ dtype: "float32" as const, shape, data })),
      fc.int32Array(size).map((data) => ({ dtype: "int32" as const, shape, data })),
      fc.uint8Array({ ...size, max: 1 }).map((data) => ({ dtype: "bool" as const, shape, data })),
    )
  }),
  { noNullPrototype: true },
)
const metadata = fc.dictionary(
  fc.string().filter((name) => name !== "__proto__"),
  fc.string({ unit: "grapheme" }),
  { noNullPrototype: true },
)

test("what is written is what is read, bit by bit", () => {
  fc.assert(
    fc.property(tensors, metadata, (given, texts) => {
      const found = read(encodeSafetensors(given, texts))
      expect(found.metadata).toEqual(texts)
      expect(Object.keys(found.tensors).sort()).toEqual(Object.keys(given).sort())
      for (const [name, { dtype, shape, data }] of Object.entries(given)) {
        const tensor = found.tensors[name]!
        expect([tensor.dtype, tensor.shape]).toEqual([dtype, shape])
        expect(Buffer.from(tensor.data.buffer)).toEqual(Buffer.from(data.buffer, data.byteOffset, data.byteLength))
      }
    }),
  )
})

test("the bytes do not depend on the order of names", () => {
  fc.assert(
    fc.property(tensors, metadata, (given, texts) => {
      const turned = Object.fromEntries(Object.entries(given).reverse())
      const other = Object.fromEntries(Object.entries(texts).reverse())
      expect(encodeSafetensors(turned, other)).toEqual(encodeSafetensors(given, texts))
    }),
  )
})

test("data begins at a multiple of 8 bytes, and each tensor at a multiple of its element", () => {
  fc.assert(
    fc.property(tensors, (given) => {
      const bytes = encodeSafetensors(given)
      const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
      expect(length % 8).toBe(0)
      const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))
      for (const [name, { dtype }] of Object.entries(given)) {
        expect(header[name].data_offsets[0] % (dtype === "bool" ? 1 : 4)).toBe(0)
      }
    }),
  )
})

test("a file is exactly these bytes", () => {
  const bytes = encodeSafetensors(
    { b: float32([2], [1, -2]), a: { dtype: "bool", shape: [1], data: Uint8Array.of(1) } },
    { format: "pt" },
  )
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
  expect(new TextDecoder().decode(bytes.subarray(8, 8 + length))).toBe(
    '{"__metadata__":{"format":"pt"},"a":{"data_offsets":[8,9],"dtype":"BOOL","shape":[1]},"b":{"data_offsets":[0,8],"dtype":"F32","shape":[2]}}     ',
  )
  expect(Buffer.from(bytes.subarray(8 + length)).toString("hex")).toBe("0000803f000000c001")
})

test("a file of the reference implementation in Python reads as it was meant", () => {
  // Written by tests/parity/make_safetensors.py with safetensors 0.8.0.
  const bytes = readFileSync(new URL("../fixtures/reference.safetensors", import.meta.url))
  const found = read(bytes)
  expect(found.metadata).toEqual({ format: "np", "made by": "make_safetensors.py" })
  expect(found.tensors).toEqual({
    "decoder.weight": float32([3, 4], [-1.5, -1.25, -1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1, 1.25]),
    "decoder.bias": float32([4], [Math.PI, -0, Number.POSITIVE_INFINITY, 2 ** -149]),
    scale: float32([], [0.125]),
    empty: float32([0, 3], []),
    tokens: int32([2, 3], [0, 1, -1, 50256, 2 ** 31 - 1, -(2 ** 31)]),
    mask: { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) },
    pixels: int32([3], [0, 127, 255]),
    half: float32([5], [1.5, -65504, 2 ** -24, 1638 / 16384, Number.POSITIVE_INFINITY]),
    brain: float32([2, 2], [1, -2.5, (1 + 98 / 128) * 2 ** 127, 0]), // 3e38 to eight bits
  })
})

test.each([
  ["an empty file", new Uint8Array(), "at least 10 bytes"],
  ["seven bytes", new Uint8Array(7), "at least 10 bytes"],
  ["a header longer than the file", file("{}", 0, 3n), "a header of 2 to 2 bytes"],
  ["a header of 2^64 - 1 bytes", file("{}", 0, 2n ** 64n - 1n), "a header of 2 to 2 bytes"],
  ["a header of no bytes", file("", 4), "a header of 2 to 4 bytes"],
  [
    "a header over the limit",
    new Uint8Array(2 ** 24 + 64).fill(1, 3, 4).fill(1, 0, 1),
    "a header of 2 to 16777216 bytes",
  ],
  ["a header that does not begin with {", file(" {}"), 'a first character "{"'],
  ["a byte order mark", file("\ufeff{}"), 'a first character "{"'],
  ["a header that is not UTF-8", file(Uint8Array.of(0x7b, 0xff, 0x7d)), "UTF-8"],
  ["a header that is not JSON", file("{]"), "a key"],
  ["a name twice", file(`{${entry("a", 0, 4)},${entry("a", 4, 8)}}`, 8), "each key once"],
  ["the name __proto__", file(`{${entry("__proto__", 0, 4)}}`, 4), "an ordinary key"],
  ["a gap", file(`{${entry("a", 0, 4)},${entry("b", 8, 12)}}`, 12), "data from byte 4 on"],
  ["a gap at the start", file(`{${entry("a", 4, 8)}}`, 8), "data from byte 0 on"],
  ["an overlap", file(`{${entry("a", 0, 8)},${entry("b", 4, 12)}}`, 12), "data from byte 8 on"],
  ["two tensors in one place", file(`{${entry("a", 0, 4)},${entry("b", 0, 4)}}`, 4), "data from byte 4 on"],
  ["a tail", file(`{${entry("a", 0, 4)}}`, 5), "4 bytes of data"],
  ["data cut short", file(`{${entry("a", 0, 8)}}`, 4), "8 bytes of data"],
  ["an unknown dtype", file(`{${entry("a", 0, 8, "F64", "[1]")}}`, 8), "dtype F32, F16, BF16, I32, U8, BOOL"],
  ["a dtype named like a method", file(`{${entry("a", 0, 8, "toString", "[1]")}}`, 8), "dtype F32"],
  ["a negative size", file(`{${entry("a", 0, 4, "F32", "[-1]")}}`, 4), "a shape of non-negative integers"],
  ["a broken size", file(`{${entry("a", 0, 4, "F32", "[0.5]")}}`, 4), "a shape of non-negative integers"],
  [
    "a shape that overflows",
    file(`{${entry("a", 0, 4, "F32", "[4294967296,4294967296]")}}`, 4),
    "73786976294838206464",
  ],
  ["offsets in reverse", file(`{${entry("a", 4, 0, "F32", "[1]")}}`, 4), "4 bytes for F32[1]"],
  ["a key too many", file(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}}`, 4), "an entry of dtype"],
  ["a key too few", file(`{"a":{"dtype":"F32","shape":[]}}`, 4), "an entry of dtype"],
  ["an entry that is no record", file(`{"a":[]}`), "an entry of dtype"],
  ["metadata that are no texts", file(`{"__metadata__":{"a":1}}`), "a record of texts"],
  ["metadata that are no record", file(`{"__metadata__":null}`), "a record of texts"],
  ["a bool of 2", file(`{${entry("a", 0, 1, "BOOL", "[1]")}}`, 1).fill(2, -1), "0 or 1"],
])("%s is refused", (_, bytes, expected) => {
  const error = refusal(bytes)
  expect(error).toBeInstanceOf(BadData)
  expect(error.where).toContain("weights.safetensors")
  expect(error.expected).toContain(expected)
})

test("a dtype that cannot be read names the tensor and the remedy", () => {
  expect(refusal(file(`{${entry("head.weight", 0, 8, "F64", "[1]")}}`, 8)).message).toMatchInlineSnapshot(`
    "BadData in weights.safetensors > "head.weight"
      expected  dtype F32, F16, BF16, I32, U8, BOOL
      received  "F64"
      fix       save the tensor as float32, int32 or bool, for example with .to(torch.float32)"
  `)
})

test.each([
  ["a shape of another size", { a: float32([3], [1, 2]) }, "ShapeMismatch"],
  ["data of another type", { a: { dtype: "int32", shape: [1], data: Float32Array.of(1) } }, "ShapeMismatch"],
  ["a reserved name", { __metadata__: float32([1], [1]) }, "BadData"],
  ["a name that is not Unicode", { "\ud800": float32([1], [1]) }, "BadData"],
] as const)("a tensor with %s is not written", (_, given, tag) => {
  expect(() => encodeSafetensors(given)).toThrow(tag)
})

test("a damaged file is read or refused with BadData, never worse", () => {
  const whole = encodeSafetensors(
    {
      "blocks.0.weight": float32([2, 3], [1, 2, 3, 4, 5, 6]),
      "blocks.0.mask": { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) },
      steps: int32([], [7]),
      none: float32([0, 4], []),
    },
    { format: "pt" },
  )
  const place = fc.nat(whole.length - 1)
  const damage = fc.oneof(
    fc.tuple(place, fc.nat(255)).map(
      ([at, byte]) =>
        (bytes: Array<number>) =>
          bytes.fill(byte, at, at + 1),
    ),
    fc.tuple(fc.nat(30), fc.nat(255)).map(
      ([at, byte]) =>
        (bytes: Array<number>) =>
          bytes.fill(byte, at, at + 1),
    ),
    place.map((at) => (bytes: Array<number>) => bytes.slice(0, at)),
    fc.tuple(place, fc.nat(9)).map(
      ([at, n]) =>
        (bytes: Array<number>) =>
          bytes.toSpliced(at, n),
    ),
    fc.tuple(place, place, fc.nat(40)).map(
      ([from, to, n]) =>
        (bytes: Array<number>) =>
          bytes.toSpliced(to, 0, ...bytes.slice(from, from + n)),
    ),
    fc.tuple(place, fc.constantFrom(...'{}[]",:-019eE\\ \0')).map(
      ([at, sign]) =>
        (bytes: Array<number>) =>
          bytes.toSpliced(at, 1, sign.charCodeAt(0)),
    ),
  )
  let refused = 0
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
      const bytes = Uint8Array.from(damages.reduce((rest, apply) => apply(rest), Array.from(whole)))
      const exit = Effect.runSyncExit(
        decodeSafetensors(bytes, "damaged").pipe(
          Effect.map(({ tensors: found }) => {
            // No element type grows by more than four: memory stays within a small multiple of the file.
            const size = Object.values(found).reduce((sum, { data }) => sum + data.byteLength, 0)
            expect(size).toBeLessThanOrEqual(4 * bytes.length)
            return "read" as const
          }),
          Effect.catchTag("BadData", () => Effect.succeed("refused" as const)),
        ),
      )
      expect(exit._tag).toBe("Success")
      if (exit._tag === "Success" && exit.value === "refused") refused++
    }),
    { numRuns: 5000 },
  )
  expect(refused).toBeGreaterThan(1000) // the damage reaches the checks
})
