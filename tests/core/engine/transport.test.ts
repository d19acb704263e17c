/** State on its way to an engine and back: every bit of it, at any size. */
import { Engine, float32, type HostTensor, type HostTensors, int32, spec } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { seed } from "../../laws/replay.js"
import { on } from "./on.js"

const bool = (shape: ReadonlyArray<number>, data: ReadonlyArray<number>): HostTensor => ({
  dtype: "bool",
  shape,
  data: Uint8Array.from(data),
})
const full = (length: number, value: number) => float32([length], new Float32Array(length).fill(value))
const bytes = ({ data }: HostTensor): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength)

/** Throws unless both hold the same names, types and bits. */
const expectSame = (got: HostTensors, wanted: HostTensors): void => {
  expect(Object.keys(got)).toEqual(Object.keys(wanted))
  for (const [name, tensor] of Object.entries(wanted)) {
    expect([got[name]!.dtype, got[name]!.shape], name).toEqual([tensor.dtype, tensor.shape])
    expect(bytes(got[name]!).equals(bytes(tensor)), name).toBe(true)
  }
}

/** Tensors of one value, and those that look so but for one element. */
const uniform: HostTensors = {
  zero: full(5, 0),
  negativeZero: full(5, -0),
  signs: float32([4], [0, 0, -0, 0]),
  lastSign: float32([3], [-0, -0, 0]),
  nan: full(7, Number.NaN),
  nanButOne: float32([3], [Number.NaN, Number.NaN, 1]),
  three: full(9, 3),
  third: full(6, 1 / 3),
  infinite: full(2, Number.NEGATIVE_INFINITY),
  tiny: full(3, 1e-45),
  scalar: float32([], [-0]),
  matrix: float32([2, 3], [4, 4, 4, 4, 4, 4]),
  yes: bool([4], [1, 1, 1, 1]),
  no: bool([4], [0, 0, 0, 0]),
  mixed: bool([4], [1, 1, 1, 0]),
  least: int32([3], [-(2 ** 31), -(2 ** 31), -(2 ** 31)]),
  whole: int32([2, 2], [7, 7, 7, 7]),
  nothing: float32([0], []),
  noRows: int32([0, 3], []),
}

describe.each(["onnx", "tfjs:cpu"])("%s", (engine) => {
  test("tensors of one value come back bit for bit, allocated as well as written, whatever the value", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { allocate } = yield* Engine
        expectSame(yield* (yield* allocate(uniform)).read(), uniform)
        const other = yield* allocate(
          Object.fromEntries(
            Object.entries(uniform).map(([name, { dtype, shape, data }]): [string, HostTensor] => [
              name,
              dtype === "int32"
                ? int32(
                    shape,
                    data.map((_, i) => i),
                  )
                : dtype === "bool"
                  ? bool(
                      shape,
                      [...data].map((_, i) => i % 2),
                    )
                  : float32(
                      shape,
                      [...data].map((_, i) => i + 0.5),
                    ),
            ]),
          ),
        )
        yield* other.write(uniform)
        expectSame(yield* other.read(), uniform)
      }),
    ))

  test("a tensor of one value is no other tensor: what is written to one of two, or an update of one, leaves the other", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { allocate, compile } = yield* Engine
        const zero = full(6, 0)
        const [s, t] = [yield* allocate({ a: zero, b: zero }), yield* allocate({ a: zero, b: zero })]
        const add = yield* compile({
          name: "add",
          state: { s: { a: spec("float32", [6]) } },
          inputs: {},
          body: (state) => ({ outputs: {}, state: { s: { a: tf.add(state.s!.a!, 1) } } }),
        })
        yield* add.run({ state: { s }, inputs: {} })
        yield* t.write({ b: full(6, 2) })
        expectSame(yield* s.read(), { a: full(6, 1), b: zero })
        expectSame(yield* t.read(), { a: zero, b: full(6, 2) })
        expectSame({ zero }, { zero: full(6, 0) })
      }),
    ))

  test("any tensors come back as they were given, in any part and order", () =>
    on(
      engine,
      Effect.flatMap(Engine, ({ allocate }) =>
        Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(
              fc.array(fc.float32Array({ minLength: 0, maxLength: 5 }), { minLength: 1, maxLength: 8 }),
              fc.infiniteStream(fc.nat(7)),
              async (all, order) => {
                const values = Object.fromEntries(all.map((data, i) => [`t${i}`, float32([data.length], data)]))
                const names = [...new Set([...order.take(5)].map((i) => `t${i % all.length}`))]
                await Effect.runPromise(
                  Effect.scoped(
                    Effect.gen(function* () {
                      const state = yield* allocate(values)
                      expectSame(yield* state.read(), values)
                      expectSame(
                        yield* state.read(names),
                        Object.fromEntries(names.map((name) => [name, values[name]!])),
                      )
                    }),
                  ),
                )
              },
            ),
            { seed, numRuns: 60 },
          ),
        ),
      ),
    ))
})

test("40 MB in four tensors, one of them larger than a message, and 600 small ones come back in their order", () =>
  on(
    "onnx",
    Effect.gen(function* () {
      const { allocate } = yield* Engine
      const counted = (length: number, k: number) => {
        const data = new Float32Array(length)
        for (let i = 0; i < length; i++) data[i] = (i % 8191) + k
        return float32([length], data)
      }
      const values: Record<string, HostTensor> = {}
      const [many, large] = [600, [2 ** 23 + 3, 500_000, 500_001, 1_000_000]]
      for (let i = 0; i < many; i++) values[`small${i}`] = counted(1 + (i % 7), i)
      for (const [i, length] of large.entries()) values[`large${i}`] = counted(length, i)
      for (let i = 0; i < many; i++) values[`more${i}`] = int32([2], [i, -i])
      const state = yield* allocate(values)
      expectSame(yield* state.read(), values)
      yield* state.write({ large0: counted(large[0]!, 9), small3: counted(4, 8) })
      const part = ["more5", "large0", "small3"]
      expectSame(yield* state.read(part), {
        more5: values.more5!,
        large0: counted(large[0]!, 9),
        small3: counted(4, 8),
      })
      expectSame(yield* state.read(["large1"]), { large1: values.large1! })
    }),
  ))
