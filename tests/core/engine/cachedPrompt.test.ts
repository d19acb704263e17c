/** The first positions of a text fill a cache: as one call, and as one position after the other. */
import {
  cachedAttention,
  cachedPrompt,
  Engine,
  float32,
  type HostTensors,
  spec,
  type TensorFunction,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { native } from "./installed.js"
import { on } from "./on.js"

interface Shape {
  readonly b: number
  readonly h: number
  readonly t: number
  readonly s: number
  readonly e: number
}

const shapes: fc.Arbitrary<Shape> = fc
  .record({ b: fc.integer({ min: 1, max: 3 }), h: fc.integer({ min: 1, max: 3 }), s: fc.integer({ min: 1, max: 9 }) })
  .chain(({ b, h, s }) =>
    fc.record({
      b: fc.constant(b),
      h: fc.constant(h),
      s: fc.constant(s),
      t: fc.integer({ min: 1, max: s }),
      // With heads of 8 and 16 numbers ONNX Runtime writes in place; heads of 4 it does not take.
      e: fc.constantFrom(4, 8, 16),
    }),
  )

const wave = (size: number, pace: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(i * pace + 1))
const tablesOf = ({ b, h, s, e }: Shape): HostTensors => ({
  keys: float32([b, h, s, e], wave(b * h * s * e, 0.7)),
  values: float32([b, h, s, e], wave(b * h * s * e, 1.9)),
})
const qkvOf = ({ b, h, t, e }: Shape) => float32([b, t, 3 * h * e], wave(b * t * 3 * h * e, 0.43))

const functionOf = ({ b, h, t, s, e }: Shape, whole: boolean): TensorFunction => ({
  name: whole ? "prompt" : "positions",
  state: { cache: { keys: spec("float32", [b, h, s, e]), values: spec("float32", [b, h, s, e]) } },
  inputs: { qkv: spec("float32", [b, t, 3 * h * e]) },
  body: (state, { qkv }) => {
    let { keys, values } = state.cache as { keys: tf.Tensor; values: tf.Tensor }
    if (whole) {
      const made = cachedPrompt(qkv!, keys, values)
      return { outputs: { attended: made.attended }, state: { cache: { keys: made.keys, values: made.values } } }
    }
    const attended = Array.from({ length: t }, (_, i) => {
      const own = tf.reshape(tf.slice(qkv!, [0, i, 0], [b, 1, 3 * h * e]), [b, 3 * h * e])
      const made = cachedAttention(own, keys, values, tf.fill([b], i, "int32"))
      keys = made.keys
      values = made.values
      return made.attended
    })
    return { outputs: { attended: tf.stack(attended, 1) }, state: { cache: { keys, values } } }
  },
})

const close = (a: ArrayLike<number>, wanted: ArrayLike<number>): void => {
  expect(a).toHaveLength(wanted.length)
  for (let i = 0; i < a.length; i++) expect(Math.abs(a[i]! - wanted[i]!)).toBeLessThan(2e-6)
}

/** What is attended to, and the tables after it. */
const outcome = (shape: Shape, whole: boolean, tables: HostTensors, scratch: ReadonlyArray<string>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { compile, allocate } = yield* Engine
      const [executable, cache] = [yield* compile(functionOf(shape, whole)), yield* allocate(tables)]
      const call = { state: { cache }, steps: 1, inputs: { qkv: qkvOf(shape) }, collect: ["attended"], scratch }
      const { attended } = yield* executable.loop(call)
      const { keys, values } = yield* cache.read()
      return [attended!.data, keys!.data, values!.data]
    }),
  )

describe.each(["onnx", "tfjs:cpu", ...native])("%s", (engine) => {
  test("a prompt at once is its positions one after the other, and other slots keep what they hold", () =>
    fc.assert(
      fc.asyncProperty(shapes, fc.constantFrom([], ["cache"]), (shape, scratch) =>
        on(
          engine,
          Effect.gen(function* () {
            const tables = tablesOf(shape)
            const prompt = yield* outcome(shape, true, tables, scratch)
            const positions = yield* outcome(shape, false, tables, [])
            for (const [i, data] of prompt.entries()) close(data, positions[i]!)
          }),
        ),
      ),
      { numRuns: 8 },
    ))

  test.each([8, 4])("what a table held before is not seen, NaN or not, heads of %i", (e) =>
    on(
      engine,
      Effect.gen(function* () {
        const shape = { b: 2, h: 2, t: 3, s: 5, e }
        const clean = tablesOf(shape)
        const spoilt = Object.fromEntries(
          Object.entries(clean).map(([name, { shape }]) => [
            name,
            float32(
              [...shape],
              clean[name]!.data.map(() => Number.NaN),
            ),
          ]),
        )
        const [wanted, made] = [yield* outcome(shape, true, clean, []), yield* outcome(shape, true, spoilt, [])]
        expect(made[0]).toEqual(wanted[0])
      }),
    ),
  )
})

test("more positions than slots are refused with both numbers", () => {
  const [b, h, s, e] = [1, 1, 2, 8]
  const tables = tf.zeros([b, h, s, e])
  const wrong: TensorFunction = {
    name: "long",
    state: {},
    inputs: { qkv: spec("float32", [b, 3, 3 * h * e]) },
    body: (_, { qkv }) => ({ outputs: { attended: cachedPrompt(qkv!, tables, tables).attended } }),
  }
  return on(
    "onnx",
    Effect.gen(function* () {
      const { compile } = yield* Engine
      const failed = yield* Effect.flip(compile(wrong))
      expect(String(failed)).toContain("3 positions do not fit into 2 slots")
    }),
  )
})
