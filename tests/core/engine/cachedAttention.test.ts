/** Attention over a cache that is state: an engine may write it in place, and no caller can tell. */
import { cachedAttention, Engine, float32, type HostTensors, int32, spec, type TensorFunction } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { native } from "./installed.js"
import { on } from "./on.js"

const [b, h, s, steps] = [3, 2, 6, 3]
const starts = [2, 0, 3]

/** With heads of 8 numbers ONNX Runtime writes in place; heads of 4 it does not take. */
const widths = [8, 4]

/** `seen` is another slot for the same tables, which are as they were before the step. */
const attend = (e: number, more: { readonly seen?: boolean; readonly guarded?: boolean } = {}): TensorFunction => {
  const tables = { keys: spec("float32", [b, h, s, e]), values: spec("float32", [b, h, s, e]) }
  return {
    name: "attend",
    state: { cache: tables, ...(more.seen ? { seen: tables } : {}) },
    inputs: { qkv: spec("float32", [b, 3 * h * e]), lengths: spec("int32", [b]) },
    ...(more.guarded ? { commitIf: "small" } : {}),
    body: (state, { qkv, lengths }) => {
      const { attended, keys, values } = cachedAttention(qkv!, state.cache!.keys!, state.cache!.values!, lengths!)
      return {
        outputs: {
          attended,
          ...(more.seen ? { sum: tf.sum(state.seen!.keys!) } : {}),
          ...(more.guarded ? { small: tf.less(tf.sum(tf.cast(lengths!, "float32")), 6) } : {}),
        },
        state: { cache: { keys, values } },
      }
    },
  }
}

const wave = (size: number, pace: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(i * pace + 1))
const tablesOf = (e: number): HostTensors => ({
  keys: float32([b, h, s, e], wave(b * h * s * e, 0.7)),
  values: float32([b, h, s, e], wave(b * h * s * e, 1.9)),
})
const given = (e: number) => ({
  qkv: float32([steps, b, 3 * h * e], wave(steps * b * 3 * h * e, 0.43)),
  lengths: int32(
    [steps, b],
    Array.from({ length: steps * b }, (_, i) => starts[i % b]! + Math.floor(i / b)),
  ),
})

/** In float64, head by head: what is attended to in each step, and the tables after the last. */
const reference = (e: number) => {
  const [keys, values] = [[...tablesOf(e).keys!.data], [...tablesOf(e).values!.data]]
  const qkv = given(e).qkv.data
  const attended: Array<number> = []
  for (let step = 0; step < steps; step++) {
    for (let i = 0; i < b; i++) {
      for (let head = 0; head < h; head++) {
        const own = (part: number, j: number): number => qkv[((step * b + i) * 3 + part) * h * e + head * e + j]!
        const at = (slot: number, j: number): number => ((i * h + head) * s + slot) * e + j
        const length = starts[i]! + step
        for (let j = 0; j < e; j++) {
          keys[at(length, j)] = own(1, j)
          values[at(length, j)] = own(2, j)
        }
        const weights = Array.from({ length: length + 1 }, (_, slot) => {
          let score = 0
          for (let j = 0; j < e; j++) score += own(0, j) * keys[at(slot, j)]!
          return Math.exp(score / Math.sqrt(e))
        })
        const whole = weights.reduce((sum, weight) => sum + weight, 0)
        for (let j = 0; j < e; j++) {
          attended.push(weights.reduce((sum, weight, slot) => sum + (weight / whole) * values[at(slot, j)]!, 0))
        }
      }
    }
  }
  return { attended, keys, values }
}

const close = (a: ArrayLike<number>, wanted: ReadonlyArray<number>): void => {
  expect(a).toHaveLength(wanted.length)
  expect(Math.max(...Array.from(a, (x, i) => Math.abs(x - wanted[i]!)))).toBeLessThan(2e-6)
}

describe.each(["onnx", "tfjs:cpu", ...native])("%s", (engine) => {
  test.each(widths)("a loop attends to the positions so far and leaves them in the tables, heads of %i", (e) =>
    on(
      engine,
      Effect.gen(function* () {
        const { compile, allocate } = yield* Engine
        const [executable, cache] = [yield* compile(attend(e)), yield* allocate(tablesOf(e))]
        const loop = { state: { cache }, steps, inputs: {}, each: given(e), collect: ["attended"] }
        const wanted = reference(e)
        for (const scratch of [[], ["cache"], []]) {
          yield* cache.write(tablesOf(e))
          close((yield* executable.loop({ ...loop, scratch })).attended!.data, wanted.attended)
          const { keys, values } = yield* cache.read()
          close(keys!.data, wanted.keys)
          close(values!.data, wanted.values)
        }
      }),
    ),
  )

  test.each(widths)("another slot of the same state reads what was there before the step, heads of %i", (e) =>
    on(
      engine,
      Effect.gen(function* () {
        const { compile, allocate } = yield* Engine
        const [executable, cache] = [yield* compile(attend(e, { seen: true })), yield* allocate(tablesOf(e))]
        const sum = Array.from(tablesOf(e).keys!.data).reduce((total, x) => total + x, 0)
        const inputs = { qkv: float32([b, 3 * h * e], wave(b * 3 * h * e, 0.43)), lengths: int32([b], starts) }
        close((yield* executable.run({ state: { cache, seen: cache }, inputs })).sum!.data, [sum])
      }),
    ),
  )

  test.each(widths)("a refused step leaves the tables as they were, heads of %i", (e) =>
    on(
      engine,
      Effect.gen(function* () {
        const { compile, allocate } = yield* Engine
        const [executable, cache] = [yield* compile(attend(e, { guarded: true })), yield* allocate(tablesOf(e))]
        // The first step's lengths sum to 5; the others' do not stay below 6.
        yield* executable.loop({ state: { cache }, steps, inputs: {}, each: given(e), collect: [] })
        const once = (yield* cache.read()).keys!.data
        yield* cache.write(tablesOf(e))
        const inputs = { qkv: float32([b, 3 * h * e], wave(b * 3 * h * e, 0.43)), lengths: int32([b], starts) }
        yield* executable.run({ state: { cache }, inputs })
        expect(once).toEqual((yield* cache.read()).keys!.data)
      }),
    ),
  )

  test.each(widths)("a step that fails leaves the tables as they were, heads of %i", (e) =>
    on(
      engine,
      Effect.gen(function* () {
        const { compile, allocate } = yield* Engine
        const [executable, cache] = [yield* compile(attend(e)), yield* allocate(tablesOf(e))]
        const full = int32([steps, b], [...starts, ...starts, s, s, s])
        const each = { ...given(e), lengths: full }
        const failed = yield* Effect.exit(executable.loop({ state: { cache }, steps, inputs: {}, each, collect: [] }))
        expect(failed._tag).toBe("Failure")
        expect(yield* cache.read()).toEqual(tablesOf(e))
      }),
    ),
  )
})
