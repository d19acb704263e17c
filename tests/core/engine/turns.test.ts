/** States that take turns: whichever program changes them, and however, each keeps its own values. */
import { Engine, type Executable, float32, int32, type State, spec, type TensorFunction } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { seed } from "../../laws/replay.js"
import { on } from "./on.js"

const [count, width] = [5, 3]
const shape = [count, width]
const inputs = { x: spec("float32", shape), at: spec("int32", [1, 1]) }
const given = (k: number) => ({
  x: float32(
    shape,
    Float32Array.from({ length: count * width }, (_, i) => ((i + k) % 7) - 3),
  ),
  at: int32([1, 1], [k % count]),
})

const changing = (name: string, next: (p: tf.Tensor, x: tf.Tensor, at: tf.Tensor) => tf.Tensor): TensorFunction => ({
  name,
  state: { s: { p: spec("float32", shape) } },
  inputs,
  body: ({ s }, { x, at }) => ({ outputs: { first: tf.sum(s!.p!) }, state: { s: { p: next(s!.p!, x!, at!) } } }),
})

/** Two ways to change a state element by element, one as a whole, one by rows. */
const functions = [
  changing("add", (p, x) => tf.add(p, x)),
  changing("flip", (p, x) => tf.sub(x, p)),
  changing("roll", (p, x) => tf.add(tf.reverse(p, 0), tf.sum(x, 0))),
  changing("put", (p, x, at) => tf.tensorScatterUpdate(p, at, tf.slice(x, [1, 0], [1, width]))),
  changing("copy", (p, _x, _at) => tf.concat([tf.slice(p, [1, 0]), tf.slice(p, [0, 0], [1, width])])),
]

const first = (k: number) => Float32Array.from({ length: count * width }, (_, i) => i + 100 * k)
const states = 3

type Turn = readonly [kind: "run" | "loop" | "write", fn: number, state: number, k: number]
const turns: fc.Arbitrary<ReadonlyArray<Turn>> = fc.array(
  fc.tuple(
    fc.constantFrom("run" as const, "run" as const, "run" as const, "loop" as const, "write" as const),
    fc.nat(functions.length - 1),
    fc.nat(states - 1),
    fc.nat(20),
  ),
  { minLength: 1, maxLength: 24 },
)

const play = (executables: ReadonlyArray<Executable>, all: ReadonlyArray<State>, played: ReadonlyArray<Turn>) =>
  Effect.gen(function* () {
    const seen: Array<ReadonlyArray<ReadonlyArray<number>>> = []
    for (const [k, s] of all.entries()) yield* s.write({ p: float32(shape, first(k)) })
    for (const [kind, fn, at, k] of played) {
      const state = { s: all[at]! }
      if (kind === "run") yield* executables[fn]!.run({ state, inputs: given(k) })
      else if (kind === "loop") yield* executables[fn]!.loop({ state, steps: 3, inputs: given(k), collect: [] })
      else yield* all[at]!.write({ p: given(k).x })
      const values: Array<ReadonlyArray<number>> = []
      for (const s of all) values.push([...(yield* s.read()).p!.data])
      seen.push(values)
    }
    return seen
  })

const open = Effect.gen(function* () {
  const { compile, allocate } = yield* Engine
  const executables = yield* Effect.forEach(functions, compile)
  const all = yield* Effect.forEach([0, 1, 2], (k) => allocate({ p: float32(shape, first(k)) }))
  return (played: ReadonlyArray<Turn>) => play(executables, all, played)
})

const runs = process.env.MILLRACE_LONG === undefined ? 60 : 1000

test("whatever programs change three states in whatever order, every state holds what it holds on tfjs after each call", () =>
  on(
    "tfjs:cpu",
    Effect.flatMap(open, (wanted) =>
      Effect.promise(() =>
        on(
          "onnx",
          Effect.flatMap(open, (got) =>
            Effect.promise(() =>
              fc.assert(
                fc.asyncProperty(turns, async (played) => {
                  expect(await Effect.runPromise(got(played))).toEqual(await Effect.runPromise(wanted(played)))
                }),
                { seed, numRuns: runs },
              ),
            ),
          ),
        ),
      ),
    ),
  ))

describe.each(["onnx", "tfjs:cpu"])("%s", (engine) => {
  test("two states that change places from call to call keep their own values", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { compile, allocate } = yield* Engine
        const both = yield* compile({
          name: "both",
          state: { one: { p: spec("float32", [4]) }, two: { p: spec("float32", [4]) } },
          inputs: {},
          body: ({ one, two }) => ({
            outputs: {},
            state: { one: { p: tf.add(one!.p!, 1) }, two: { p: tf.mul(two!.p!, 2) } },
          }),
        })
        const [a, b] = [
          yield* allocate({ p: float32([4], [1, 2, 3, 4]) }),
          yield* allocate({ p: float32([4], [5, 6, 7, 8]) }),
        ]
        for (let i = 0; i < 4; i++) {
          yield* both.run({ state: i % 2 === 0 ? { one: a, two: b } : { one: b, two: a }, inputs: {} })
        }
        const plus = (x: number) => ((x + 1) * 2 + 1) * 2
        const times = (x: number) => (x * 2 + 1) * 2 + 1
        expect([...(yield* a.read()).p!.data]).toEqual([1, 2, 3, 4].map(plus))
        expect([...(yield* b.read()).p!.data]).toEqual([5, 6, 7, 8].map(times))
      }),
    ))

  test("updates that differ in nothing but a constant stay apart, be it infinite, not a number, or a zero's sign", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { compile, allocate } = yield* Engine
        const by = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 0, -0, 2]
        const names = by.map((_, i) => `p${i}`)
        const specs = Object.fromEntries(names.map((name) => [name, spec("float32", [3])]))
        const apart = yield* compile({
          name: "apart",
          state: { s: specs },
          inputs: {},
          body: ({ s }) => ({
            outputs: {},
            state: { s: Object.fromEntries(names.map((name, i) => [name, tf.mul(s![name]!, by[i]!)])) },
          }),
        })
        const s = yield* allocate(Object.fromEntries(names.map((name) => [name, float32([3], [1, 2, 3])])))
        yield* apart.run({ state: { s }, inputs: {} })
        const after = yield* s.read()
        expect(names.map((name) => after[name]!.data[1])).toEqual(by.map((factor) => 2 * factor))
      }),
    ))

  test("what one state gives another is its old value, also where both change", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { compile, allocate } = yield* Engine
        const swap = yield* compile({
          name: "swap",
          state: { s: { a: spec("float32", [3]), b: spec("float32", [3]), c: spec("float32", [3]) } },
          inputs: {},
          body: ({ s }) => ({
            outputs: {},
            state: { s: { a: tf.add(s!.b!, 1), b: tf.mul(s!.a!, 2), c: s!.a! } },
          }),
        })
        const s = yield* allocate({
          a: float32([3], [1, 2, 3]),
          b: float32([3], [10, 20, 30]),
          c: float32([3], [0, 0, 0]),
        })
        yield* swap.run({ state: { s }, inputs: {} })
        yield* swap.run({ state: { s }, inputs: {} })
        const { a, b, c } = yield* s.read()
        expect([[...a!.data], [...b!.data], [...c!.data]]).toEqual([
          [3, 5, 7],
          [22, 42, 62],
          [11, 21, 31],
        ])
      }),
    ))

  test.each(functions)("a state in two slots is one state, also from step to step of a loop: $name", (fn) =>
    on(
      engine,
      Effect.gen(function* () {
        const { compile, allocate } = yield* Engine
        const { run, loop } = yield* compile({
          ...fn,
          state: { ...fn.state, same: { p: spec("float32", shape) } },
          body: (state, given) => ({
            ...fn.body(state, given),
            outputs: { one: state.s!.p!, other: state.same!.p! },
          }),
        })
        const p = float32(shape, first(1))
        const [once, looped] = [yield* allocate({ p }), yield* allocate({ p })]
        const single: Array<number> = []
        for (let i = 0; i < 3; i++) {
          const { other } = yield* run({ state: { s: once, same: once }, inputs: given(3) })
          single.push(...other!.data)
        }
        const { one, other } = yield* loop({
          state: { s: looped, same: looped },
          steps: 3,
          inputs: given(3),
          collect: ["one", "other"],
        })
        expect([...other!.data]).toEqual(single)
        expect([...one!.data]).toEqual(single)
        expect((yield* looped.read()).p!.data).toEqual((yield* once.read()).p!.data)
      }),
    ),
  )
})
