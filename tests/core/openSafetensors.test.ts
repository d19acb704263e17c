/** Files of tensors read piece by piece: what comes is what decoding the whole file gives, and so is what is refused. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  BadData,
  decodeSafetensors,
  Engine,
  encodeSafetensors,
  float32,
  type HostTensors,
  int32,
  openSafetensors,
  sizeOf,
  type TensorSource,
} from "@millrace/core"
import { Effect } from "effect"
import fc from "fast-check"
import { afterAll, describe, expect, test } from "vitest"
import { seed } from "../laws/replay.js"
import { on } from "./engine/on.js"

const folder = mkdtempSync(join(tmpdir(), "millrace-open-"))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, "weights.safetensors")

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

/** A file of one tensor of each stored type, with these bytes as data. */
const fileOf = (counts: ReadonlyArray<number>, bytes: ReadonlyArray<number>): Uint8Array => {
  const types = [
    ["F32", 4],
    ["I32", 4],
    ["F16", 2],
    ["BF16", 2],
    ["U8", 1],
    ["BOOL", 1],
  ] as const
  const header: Record<string, unknown> = {}
  let at = 0
  types.forEach(([dtype, width], i) => {
    const end = at + counts[i]! * width
    header[`t${dtype}`] = { dtype, shape: [counts[i]!, 1], data_offsets: [at, end] }
    at = end
  })
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  const bools = counts[5]!
  const data = Uint8Array.from({ length: at }, (_, i) => {
    const byte = bytes[i % bytes.length]!
    return i >= at - bools ? byte % 2 : byte
  })
  return Buffer.concat([length, text, data])
}

const counts = fc.array(fc.nat(9), { minLength: 6, maxLength: 6 })
const someBytes = fc.array(fc.nat(255), { minLength: 1, maxLength: 40 })

/** All tensors of a source, in pieces of at most `step` elements. */
const readAll = <E>({ specs, piece }: TensorSource<E>, step: number): Effect.Effect<HostTensors, E> =>
  Effect.gen(function* () {
    const tensors: Record<string, HostTensors[string]> = {}
    for (const [name, { dtype, shape }] of Object.entries(specs)) {
      const parts: Array<number> = []
      const size = sizeOf(shape)
      for (let begin = 0; begin < size; begin += step) {
        parts.push(...(yield* piece(name, begin, Math.min(size, begin + step))))
      }
      const data =
        dtype === "float32" ? new Float32Array(size) : dtype === "int32" ? new Int32Array(size) : new Uint8Array(size)
      data.set(parts)
      tensors[name] = { dtype, shape, data }
    }
    return tensors
  })

test("pieces of any size make the tensors that decoding gives, whatever type the file stores", () =>
  fc.assert(
    fc.asyncProperty(counts, someBytes, fc.integer({ min: 1, max: 12 }), async (counts, bytes, step) => {
      const file = fileOf(counts, bytes)
      writeFileSync(path, file)
      const { tensors } = Effect.runSync(decodeSafetensors(file, path))
      const found = await Effect.runPromise(
        Effect.scoped(Effect.flatMap(openSafetensors(path), (source) => readAll(source, step))),
      )
      expect(Object.keys(found)).toEqual(Object.keys(tensors))
      for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
        expect([found[name]!.dtype, found[name]!.shape]).toEqual([dtype, shape])
        // Not by bits: a NaN that passes through a number may change its payload.
        expect(found[name]!.data).toEqual(data)
      }
    }),
    { seed, numRuns: 100 },
  ))

test("a damaged file is refused with the error that decoding it gives, or read as it reads it", async () => {
  const whole = encodeSafetensors({
    a: float32([2, 2], [1, 2, 3, 4]),
    b: int32([1], [7]),
    c: { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) },
  })
  let refused = 0
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), async (at, byte, cut) => {
      const bytes = cut ? whole.slice(0, at) : whole.slice().fill(byte, at, at + 1)
      writeFileSync(path, bytes)
      const decoded = Effect.runSync(
        Effect.catch(
          Effect.map(decodeSafetensors(bytes, path), ({ tensors }) => tensors),
          Effect.succeed,
        ),
      )
      const opened = await Effect.runPromise(
        Effect.scoped(Effect.flatMap(openSafetensors(path), (source) => readAll(source, 2))).pipe(
          Effect.catch(Effect.succeed),
        ),
      )
      if (!(decoded instanceof BadData)) {
        expect(opened).toEqual(decoded)
        return
      }
      refused++
      const { where, expected, received, fix } = decoded
      expect(opened).toMatchObject({ _tag: "BadData", where, expected, received, fix })
    }),
    { seed, numRuns: 300 },
  )
  expect(refused).toBeGreaterThan(50)
})

test("a file that is not there, and one that is cut while it is open, are BadData that name it", async () => {
  const absent = await Effect.runPromise(Effect.scoped(Effect.flip(openSafetensors(join(folder, "absent")))))
  expect(absent).toBeInstanceOf(BadData)
  expect(absent.where).toBe(join(folder, "absent"))
  const bytes = encodeSafetensors({ a: float32([100], new Float32Array(100)) })
  writeFileSync(path, bytes)
  const cut = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { piece } = yield* openSafetensors(path)
        truncateSync(path, bytes.length - 40)
        return yield* Effect.flip(piece("a", 50, 100))
      }),
    ),
  )
  expect(cut.received).toContain(`ends at byte ${bytes.length - 40}`)
})

describe.each(["onnx", "tfjs:cpu"])("%s", (engine) => {
  test("a state from a file holds what the file holds", () =>
    on(
      engine,
      Effect.gen(function* () {
        const tensors = {
          ramp: float32(
            [3, 500_001],
            new Float32Array(1_500_003).map((_, i) => i / 7),
          ),
          ids: int32([2], [3, -4]),
          mask: { dtype: "bool" as const, shape: [2], data: Uint8Array.of(0, 1) },
        }
        writeFileSync(path, encodeSafetensors(tensors))
        const { allocate } = yield* Engine
        const found = yield* (yield* allocate(yield* openSafetensors(path))).read()
        for (const [name, { data }] of Object.entries(tensors)) {
          expect(bytesOf(found[name]!.data).equals(bytesOf(data)), name).toBe(true)
        }
      }),
    ))

  test("a source that fails is an error of its own kind, and the engine answers on", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { allocate } = yield* Engine
        const specs = { a: { dtype: "float32", shape: [2 ** 21] } } as const
        const failing: TensorSource<"torn"> = {
          specs,
          piece: (_name, begin, end) =>
            begin > 0 || end === 2 ** 21 ? Effect.fail("torn") : Effect.succeed(new Float32Array(end)),
        }
        expect(yield* Effect.flip(allocate(failing))).toBe("torn")
        expect((yield* (yield* allocate({ a: float32([1], [5]) })).read()).a!.data).toEqual(Float32Array.of(5))
      }),
    ))
})

test("the engine's process gets a source in order, each element once, and never more than 4 MB of it at a time", () =>
  on(
    "onnx",
    Effect.gen(function* () {
      const shapes = { a: [3], b: [2 ** 20, 2], none: [0], c: [2 ** 20 - 4] }
      const specs = Object.fromEntries(
        Object.entries(shapes).map(([name, shape]) => [name, { dtype: "float32" as const, shape }]),
      )
      const read: Array<readonly [string, number, number]> = []
      const source: TensorSource = {
        specs,
        piece: (name, begin, end) => {
          read.push([name, begin, end])
          return Effect.succeed(new Float32Array(end - begin).map((_, i) => i))
        },
      }
      yield* (yield* Engine).allocate(source)
      for (const [name, shape] of Object.entries(shapes)) {
        const ranges = read.filter(([of]) => of === name)
        expect(
          ranges.reduce((at, [, begin, end]) => (begin === at ? end : -1), 0),
          name,
        ).toBe(sizeOf(shape))
      }
      expect([...new Set(read.map(([name]) => name))]).toEqual(Object.keys(shapes))
      expect(Math.max(...read.map(([, begin, end]) => 4 * (end - begin)))).toBeLessThanOrEqual(2 ** 22)
    }),
  ))
