import { Engine, type Executable, float32, int32, type State, spec, type TensorFunction } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { native } from "./installed.js"
import { on } from "./on.js"

/** total += table[at]; refuses where the sum passes a limit. An index outside of the table makes the call fail. */
const sum: TensorFunction = {
  name: "sum",
  state: { memory: { total: spec("float32", [2]), count: spec("int32", []) } },
  inputs: { table: spec("float32", [3, 2]), at: spec("int32", [1]), limit: spec("float32", []) },
  commitIf: "within",
  body: (state, { table, at, limit }) => {
    const { total, count } = state.memory!
    const next = tf.add(total!, tf.reshape(tf.gather(table!, at as tf.Tensor1D), [2]))
    return {
      outputs: { next, doubled: tf.mul(next, 2), within: tf.less(tf.sum(next), limit!) },
      state: { memory: { total: next, count: tf.add(count!, tf.scalar(1, "int32")) } },
    }
  },
}

const table = float32([3, 2], [1, 2, 3, 4, 0.5, 0.25])
const call = (memory: State, index: number, limit = 1e9) => ({
  state: { memory },
  inputs: { table, at: int32([1], [index]), limit: float32([], [limit]) },
})
const fresh = { total: float32([2], [0, 0]), count: int32([], [0]) }

const prepared = Effect.gen(function* () {
  const { compile, allocate } = yield* Engine
  return { executable: yield* compile(sum), memory: yield* allocate(fresh) }
})

const values = (memory: State) => Effect.map(memory.read(), ({ total, count }) => [...total!.data, count!.data[0]])

const runs = (executable: Executable, memory: State, indices: ReadonlyArray<number>, limit?: number) =>
  Effect.forEach(indices, (index) => executable.run(call(memory, index, limit)))

const indices = [0, 1, 2, 0, 1, 2, 2, 1, 0, 1]

describe.each(["onnx", "tfjs:cpu", "tfjs:wasm", ...native])("%s", (engine) => {
  test("state goes on from call to call", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { executable, memory } = yield* prepared
        const outputs = yield* runs(executable, memory, indices)
        expect([...outputs.at(-1)!.next!.data]).toEqual([16.5, 22.75])
        expect([...outputs[0]!.doubled!.data]).toEqual([2, 4])
        expect(yield* values(memory)).toEqual([16.5, 22.75, 10])
      }),
    ))

  test("a loop leaves the state and the outputs of as many calls", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { executable, memory } = yield* prepared
        const apart = yield* runs(executable, memory, indices, 20)
        const before = yield* values(memory)
        yield* memory.write(fresh)
        const together = yield* executable.loop({
          state: { memory },
          steps: indices.length,
          inputs: { table, limit: float32([], [20]) },
          each: { at: int32([indices.length, 1], indices) },
          collect: ["next", "within"],
        })
        expect([...together.next!.data]).toEqual(apart.flatMap(({ next }) => [...next!.data]))
        expect([...together.within!.data]).toEqual(apart.flatMap(({ within }) => [...within!.data]))
        expect(together.within!.data).toContain(0)
        expect(together.next!.shape).toEqual([10, 2])
        expect(yield* values(memory)).toEqual(before)
      }),
    ))

  test("a refused call leaves the state and still gives its outputs", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { executable, memory } = yield* prepared
        yield* runs(executable, memory, [0, 1])
        const [refused] = yield* runs(executable, memory, [1], 5)
        expect([...refused!.next!.data, refused!.within!.data[0]]).toEqual([7, 10, 0])
        expect(yield* values(memory)).toEqual([4, 6, 2])
      }),
    ))

  test("a call that fails leaves the state, and so does a loop that fails in the middle", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { executable, memory } = yield* prepared
        yield* runs(executable, memory, [0])
        const error = yield* Effect.flip(executable.run(call(memory, 7)))
        expect(error._tag).toBe("EngineFailed")
        expect(error.where).toBe("sum")
        const middle = yield* Effect.flip(
          executable.loop({
            state: { memory },
            steps: 4,
            inputs: { table, limit: float32([], [1e9]) },
            each: { at: int32([4, 1], [1, 1, 7, 1]) },
            collect: ["next"],
          }),
        )
        expect(middle._tag).toBe("EngineFailed")
        expect(yield* values(memory)).toEqual([1, 2, 1])
        yield* runs(executable, memory, [0, 0])
        expect(yield* values(memory)).toEqual([3, 6, 3])
      }),
    ))

  test("a carried output is the next step's input", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { compile } = yield* Engine
        const executable = yield* compile({
          name: "fibonacci",
          state: {},
          inputs: { last: spec("float32", [1]), older: spec("float32", [1]) },
          body: (_, { last, older }) => ({ outputs: { sum: tf.add(last!, older!), last: tf.clone(last!) } }),
        })
        const made = yield* executable.loop({
          steps: 10,
          inputs: {},
          first: { last: float32([1], [1]), older: float32([1], [0]) },
          carry: { sum: "last", last: "older" },
          collect: ["sum"],
        })
        expect([...made.sum!.data]).toEqual([1, 2, 3, 5, 8, 13, 21, 34, 55, 89])
      }),
    ))

  test("no steps change nothing", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { executable, memory } = yield* prepared
        yield* executable.loop({
          state: { memory },
          steps: 0,
          inputs: { table, limit: float32([], [1]), at: int32([1], [0]) },
          collect: [],
        })
        expect(yield* values(memory)).toEqual([0, 0, 0])
      }),
    ))

  test("tensors that share an array when they are allocated are apart afterwards", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { compile, allocate } = yield* Engine
        const zero = float32([2], [0, 0])
        const state = yield* allocate({ a: zero, b: zero })
        const add = yield* compile({
          name: "add",
          state: { s: { a: spec("float32", [2]) } },
          inputs: {},
          body: ({ s }) => ({ outputs: {}, state: { s: { a: tf.add(s!.a!, 1) } } }),
        })
        for (let i = 0; i < 3; i++) yield* add.run({ state: { s: state }, inputs: {} })
        const { a, b } = yield* state.read()
        expect([...a!.data, ...b!.data]).toEqual([3, 3, 0, 0])
        expect([...zero.data]).toEqual([0, 0])
      }),
    ))

  test("20 MB of state come back as they were written", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { allocate } = yield* Engine
        const size = 5 * 2 ** 20
        const state = yield* allocate({ large: float32([size], new Float32Array(size)), small: int32([], [1]) })
        const written = Float32Array.from({ length: size }, (_, i) => i % 1021)
        yield* state.write({ large: float32([size], written) })
        const { large, small } = yield* state.read()
        expect(
          Buffer.compare(
            Buffer.from(large!.data.buffer, large!.data.byteOffset, size * 4),
            Buffer.from(written.buffer),
          ),
        ).toBe(0)
        expect(small!.data[0]).toBe(1)
        expect(Object.keys(yield* state.read(["small"]))).toEqual(["small"])
      }),
    ))
})

test.each(["tfjs:cpu", ...native])("%s frees every tensor", async (engine) => {
  const before = tf.memory().numTensors
  await on(
    engine,
    Effect.gen(function* () {
      const { executable, memory } = yield* prepared
      yield* runs(executable, memory, indices)
      const during = tf.memory().numTensors
      yield* runs(executable, memory, indices)
      yield* Effect.flip(executable.run(call(memory, 7)))
      expect(tf.memory().numTensors).toBe(during)
    }),
  )
  expect(tf.memory().numTensors).toBe(before)
})
