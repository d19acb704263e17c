import { BadData, type ExpectedTensors, encodeSafetensors, float32, int32, readTensors } from "@millrace/core"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"

const where = "model/weights.safetensors"
const refusal = (bytes: Uint8Array, expected: ExpectedTensors | ((count: number) => ExpectedTensors)): BadData => {
  const error = Effect.runSync(Effect.flip(readTensors({ where, bytes }, expected)))
  expect(error).toBeInstanceOf(BadData)
  return error
}
const floats = (...shape: ReadonlyArray<number | string>) => ({ dtype: "float32", shape }) as const

const tensors = {
  a: float32([2, 3], [1, 2, 3, 4, 5, 6]),
  b: int32([2], [7, 8]),
  c: { dtype: "bool" as const, shape: [3], data: Uint8Array.of(1, 0, 1) },
}
const expected = { a: floats("n", 3), b: { dtype: "int32", shape: ["n"] }, c: { dtype: "bool", shape: [3] } } as const

test("tensors are views of the file's bytes where those are aligned, and copies where they are not", () => {
  fc.assert(
    fc.property(fc.nat(16), (offset) => {
      const file = encodeSafetensors(tensors)
      const memory = new Uint8Array(offset + file.length)
      memory.set(file, offset)
      const read = Effect.runSync(readTensors({ where, bytes: memory.subarray(offset) }, expected))
      expect(read).toEqual({ tensors, sizes: { n: 2 } })
      for (const name of ["a", "b"]) expect(read.tensors[name]!.data.buffer === memory.buffer).toBe(offset % 4 === 0)
    }),
  )
})

test("every tensor that is missing, left over or of another type is told at once, with the sizes that the file decides", () => {
  const bytes = encodeSafetensors({
    a: float32([2, 3], new Float32Array(6)),
    b: int32([3], [1, 2, 3]),
    d: float32([], [1]),
  })
  expect(
    refusal(bytes, { a: floats("n", 3), b: { dtype: "int32", shape: ["n"] }, c: floats(1) }).message,
  ).toMatchInlineSnapshot(`
    "BadData in model/weights.safetensors
      expected  b: int32[2]
                c: float32[1]
                no d
      received  b: int32[3]
                c: missing
                d: float32[]
      fix       give the file that belongs to the config"
  `)
})

test("names that every object has are names like others", () => {
  const bytes = encodeSafetensors({ constructor: float32([1], [1]), toString: float32([1], [1]) })
  const error = refusal(bytes, { valueOf: floats(1) })
  expect(error.expected).toBe("valueOf: float32[1]\nno constructor\nno toString")
})

test("what is asked for may depend on how many tensors there are, and is asked before any is read", () => {
  const bytes = encodeSafetensors({ a: float32([1], [1]), b: float32([1], [Number.NaN]) })
  const counts: Array<number> = []
  const error = refusal(bytes, (count) => {
    counts.push(count)
    throw new BadData({ where, expected: "none", received: String(count), fix: "take them out" })
  })
  expect([counts, error.expected]).toEqual([[2], "none"])
})

test("a number that is not finite is refused by its tensor's name, wherever it is", () => {
  fc.assert(
    fc.property(
      fc.nat(8),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
      (at, value) => {
        const data = new Float32Array(9).fill(3e38)
        data[at] = value
        const bytes = encodeSafetensors({ good: float32([9], new Float32Array(9).fill(3e38)), bad: float32([9], data) })
        const error = refusal(bytes, { good: floats(9), bad: floats(9) })
        expect([error.where, error.expected]).toEqual([`${where} > "bad"`, "finite numbers"])
      },
    ),
  )
})

test("a file that says the same in other words is refused: what is read is written again as it was", () => {
  const said = refusal(encodeSafetensors({ a: float32([1], [1]) }, { format: "pt" }), { a: floats(1) })
  expect(said.received).toBe("metadata")
  const text = '{"a":{"shape":[1],"dtype":"F32","data_offsets":[0,4]}}'
  const file = Buffer.concat([Buffer.alloc(8), Buffer.from(text), Buffer.alloc(4)])
  file.writeBigUInt64LE(BigInt(text.length))
  expect(refusal(file, { a: floats(1) }).received).toBe("another text for the same tensors")
})
