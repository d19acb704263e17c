/** State that is changed element by element: the engine may do it itself, in place, and no caller can tell. */
import {
  Engine,
  type Executable,
  float32,
  type HostTensors,
  int32,
  type State,
  spec,
  type TensorFunction,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Fiber } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { seed } from "../../laws/replay.js"
import { functionOf, initialOf, type Update, updates, valuesOf } from "./expressions.js"
import { on } from "./on.js"

const examples = fc.sample(updates, { seed, numRuns: process.env.MILLRACE_LONG === undefined ? 80 : 1000 })

/** Three calls one after the other: outputs of each, and the state that is left. */
const calls = (update: Update, i: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { compile, allocate } = yield* Engine
      const s = yield* allocate(initialOf(update, i))
      const { run } = yield* compile(functionOf(update))
      const made: Array<HostTensors> = []
      for (const step of [1, 2, 3]) {
        const inputs = { x: valuesOf(update.shape, 50 * step + i), k: valuesOf([], step) }
        made.push(yield* run({ state: { s }, inputs }))
        made.push(yield* s.read())
      }
      return made
    }),
  )
const all = Effect.forEach(examples, calls)

const expectClose = (got: HostTensors, wanted: HostTensors, label: string): void => {
  for (const [name, { data }] of Object.entries(wanted)) {
    data.forEach((value, i) => {
      const is = got[name]!.data[i]!
      const same =
        is === value || (Number.isNaN(is) && Number.isNaN(value)) || Math.abs(is - value) <= 1e-6 * Math.abs(value)
      if (!same) expect.fail(`${label}: ${name}[${i}] is ${is} and not ${value}`)
    })
  }
}

test("any elementwise update leaves what tfjs leaves within 1e-6, whatever is not a number included", async () => {
  const [got, wanted] = [await on("onnx", all), await on("tfjs:cpu", all)]
  examples.forEach((example, i) => {
    wanted[i]!.forEach((each, call) => {
      expectClose(got[i]![call]!, each, `seed ${seed}, example ${i}, part ${call}: ${JSON.stringify(example)}`)
    })
  })
})

const size = 67
const numbers = (from: number) =>
  float32(
    [size],
    Float32Array.from({ length: size }, (_, i) => from + i / 8),
  )
const bits = ({ data }: HostTensors[string]): ReadonlyArray<number> => [...new Uint32Array(data.slice().buffer)]

/** A moving average and a parameter that follows it; what was gathered of the old values; an average that is an output. */
const follow: TensorFunction = {
  name: "follow",
  state: {
    s: {
      mean: spec("float32", [size]),
      p: spec("float32", [size]),
      seen: spec("float32", [size]),
      n: spec("float32", []),
    },
    fixed: { scale: spec("float32", [size]), rate: spec("float32", []) },
  },
  inputs: { x: spec("float32", [size]), at: spec("int32", [3]), limit: spec("float32", []) },
  commitIf: "within",
  body: ({ s, fixed }, { x, at, limit }) => {
    const { mean, p, seen, n } = s!
    const next = tf.add(tf.mul(mean!, 0.5), tf.mul(x!, 0.5))
    const moved = tf.sub(p!, tf.mul(next, fixed!.rate!))
    const shown = tf.add(seen!, tf.mul(x!, fixed!.scale!))
    return {
      outputs: { picked: tf.gather(p!, at as tf.Tensor1D), shown, within: tf.less(tf.sum(x!), limit!) },
      state: { s: { mean: next, p: moved, seen: shown, n: tf.add(n!, 1) } },
    }
  },
}
const inputsAt = (step: number, limit = 1e9) => ({
  x: numbers(step),
  at: int32([3], [0, 5, size - 1]),
  limit: float32([], [limit]),
})
const start = () => ({ mean: numbers(1), p: numbers(2), seen: numbers(3), n: float32([], [0]) })
const followed = Effect.gen(function* () {
  const { compile, allocate } = yield* Engine
  const s = yield* allocate(start())
  const fixed = yield* allocate({ scale: numbers(-4), rate: float32([], [0.25]) })
  return { executable: yield* compile(follow), state: { s, fixed }, s, fixed }
})
const step = (executable: Executable, state: Record<string, State>, i: number, limit?: number) =>
  executable.run({ state, inputs: inputsAt(i, limit) })

/** The same in plain float32. */
const reference = (steps: number) => {
  const { mean, p, seen } = Object.fromEntries(Object.entries(start()).map(([name, { data }]) => [name, data]))
  const picked: Array<ReadonlyArray<number>> = []
  const f = Math.fround
  for (let t = 0; t < steps; t++) {
    const [x, scale] = [numbers(t).data, numbers(-4).data]
    picked.push([p![0]!, p![5]!, p![size - 1]!])
    for (let i = 0; i < size; i++) {
      mean![i] = f(f(mean![i]! * 0.5) + f(x[i]! * 0.5))
      p![i] = f(p![i]! - f(mean![i]! * 0.25))
      seen![i] = f(seen![i]! + f(x[i]! * scale[i]!))
    }
  }
  return { picked, left: [mean!, p!, seen!].map((data) => [...data]) }
}
const left = (s: State) => Effect.map(s.read(), ({ mean, p, seen }) => [[...mean!.data], [...p!.data], [...seen!.data]])

describe.each(["onnx", "tfjs:cpu"])("%s", (engine) => {
  test("what is gathered from a state is its old value, an updated value can be an output, and frozen state stays", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { executable, state, s, fixed } = yield* followed
        const picked: Array<ReadonlyArray<number>> = []
        for (let t = 0; t < 4; t++) {
          const out = yield* step(executable, state, t)
          picked.push([...out.picked!.data])
          expect([...out.shown!.data]).toEqual([...(yield* s.read(["seen"])).seen!.data])
          expect({ picked, left: yield* left(s) }).toEqual(reference(t + 1))
        }
        expect((yield* s.read(["n"])).n!.data[0]).toBe(4)
        expect(bits((yield* fixed.read()).scale!)).toEqual(bits(numbers(-4)))
      }),
    ))

  test("a refused update changes nothing, bit for bit, and the next one is as if it had not been", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { executable, state, s } = yield* followed
        yield* step(executable, state, 0)
        const before = yield* s.read()
        const refused = yield* step(executable, state, 9, -1)
        expect(refused.within!.data[0]).toBe(0)
        const after = yield* s.read()
        for (const name of Object.keys(before)) expect(bits(after[name]!)).toEqual(bits(before[name]!))
        yield* step(executable, state, 1)
        expect(yield* left(s)).toEqual(reference(2).left)
      }),
    ))

  test("what is written to a state between two updates is what the second one updates", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { executable, state, s } = yield* followed
        yield* step(executable, state, 5)
        yield* s.write({ mean: numbers(1), seen: numbers(3) })
        yield* s.write({ p: numbers(2) })
        expect(yield* left(s)).toEqual(reference(0).left)
        yield* step(executable, state, 0)
        expect(yield* left(s)).toEqual(reference(1).left)
      }),
    ))

  test("a loop that fails in the middle leaves the state as it was before the loop, bit for bit", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { executable, state, s } = yield* followed
        yield* step(executable, state, 0)
        const before = yield* s.read()
        const error = yield* Effect.flip(
          executable.loop({
            state,
            steps: 3,
            inputs: { x: numbers(1), limit: float32([], [1e9]) },
            each: { at: int32([3, 3], [0, 1, 2, 3, 4, 5, 6, 7, size]) },
            collect: [],
          }),
        )
        expect(error._tag).toBe("EngineFailed")
        const after = yield* s.read()
        for (const name of Object.keys(before)) expect(bits(after[name]!)).toEqual(bits(before[name]!))
        yield* step(executable, state, 1)
        expect(yield* left(s)).toEqual(reference(2).left)
      }),
    ))
})

test("an interrupted loop of updates leaves the state as it was, bit for bit", () =>
  on(
    "onnx",
    Effect.gen(function* () {
      const { executable, state, s } = yield* followed
      const before = yield* s.read()
      const inputs = inputsAt(1)
      const fiber = yield* Effect.forkChild(executable.loop({ state, steps: 10_000_000, inputs, collect: [] }))
      yield* Effect.sleep(150)
      yield* Fiber.interrupt(fiber)
      const after = yield* s.read()
      for (const name of Object.keys(before)) expect(bits(after[name]!)).toEqual(bits(before[name]!))
      yield* step(executable, state, 0)
      expect(yield* left(s)).toEqual(reference(1).left)
    }),
  ))

test("more than 2^24 elements are all updated, the last ones included", () =>
  on(
    "onnx",
    Effect.gen(function* () {
      const { compile, allocate } = yield* Engine
      const large = 2 ** 24 + 5
      const s = yield* allocate({ p: float32([large], new Float32Array(large)) })
      const grow = yield* compile({
        name: "grow",
        state: { s: { p: spec("float32", [large]) } },
        inputs: { by: spec("float32", []) },
        body: (state, { by }) => ({ outputs: {}, state: { s: { p: tf.add(tf.mul(state.s!.p!, 2), by!) } } }),
      })
      for (const by of [1, 3]) yield* grow.run({ state: { s }, inputs: { by: float32([], [by]) } })
      const { data } = (yield* s.read()).p!
      expect(data).toHaveLength(large)
      expect(data.every((value: number) => value === 5)).toBe(true)
    }),
  ))
